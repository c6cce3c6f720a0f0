#include "processor.h"

namespace {

Processor used = Processor::baseline;

}  // namespace

Processor processor() { return used; }

void useProcessor(Processor wanted) { used = wanted; }
