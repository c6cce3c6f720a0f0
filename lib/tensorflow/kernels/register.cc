#include <mutex>
#include <string>

#include "operation.h"
#include "parallel.h"
#include "processor.h"

namespace {

std::string registerAll() {
  TF_Status* status = TF_NewStatus();
  registerOperation<WINOGRAD_3X3>(status);
  registerOperation<WINOGRAD_3X3_FUSED>(status);
  registerOperation<WINOGRAD_3X3_INPUT_GRADIENT>(status);
  registerOperation<WINOGRAD_3X3_KERNEL_GRADIENT>(status);
  registerOperation<NORMALISE>(status);
  registerOperation<NORMALISE_GRADIENT>(status);
  registerOperation<NESTEROV_STEP>(status);
  const std::string failure = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return failure;
}

}  // namespace

/** Registers the operations; the first call in a process decides. Returns null, or an error message. */
extern "C" const char* registerOperations(int threads, int kind) {
  static std::once_flag once;
  static std::string failure;
  std::call_once(once, [&] {
    useThreads(threads);
    processor = static_cast<Processor>(kind);
    failure = registerAll();
  });
  return failure.empty() ? nullptr : failure.c_str();
}
