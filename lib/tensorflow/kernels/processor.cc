#include "processor.h"

#include <algorithm>

namespace {

Processor detect() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return Processor::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Processor::avx2;
#endif
  return Processor::baseline;
}

Processor best = detect();

}  // namespace

Processor processor() { return best; }

void useAtMost(Processor wanted) { best = std::min(detect(), wanted); }
