#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

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
  registerOperation<STEM>(status);
  registerOperation<STEM_FUSED>(status);
  registerOperation<STEM_NORM_GRADIENT>(status);
  registerOperation<STEM_KERNEL_GRADIENT>(status);
  registerOperation<NORMALISE>(status);
  registerOperation<NORMALISE_GRADIENT>(status);
  registerOperation<NORMALISE_SHORTCUT_GRADIENT>(status);
  registerOperation<MAP_SCORES>(status);
  registerOperation<MAP_SCORES_GRADIENT>(status);
  registerOperation<NESTEROV_STEP>(status);
  registerOperation<MUON_STEP>(status);
  const std::string failure = TF_GetCode(status) == TF_OK ? "" : TF_Message(status);
  TF_DeleteStatus(status);
  return failure;
}

/**
 * Unmaps what only the loading of TensorFlow has read, names of symbols and relocations, some 150 MB of resident
 * memory. What is read again is mapped again from the file.
 */
void releasePages() {
  const auto release = [](dl_phdr_info* library, size_t, void*) {
    if (!std::strstr(library->dlpi_name, "/libtensorflow_")) return 0;
    const uintptr_t page = sysconf(_SC_PAGESIZE);
    for (int at = 0; at < library->dlpi_phnum; at++) {
      const auto& part = library->dlpi_phdr[at];
      if (part.p_type != PT_LOAD || part.p_flags & PF_W) continue;
      const uintptr_t start = library->dlpi_addr + part.p_vaddr, first = start / page * page;
      madvise(reinterpret_cast<void*>(first), start + part.p_memsz - first, MADV_DONTNEED);
    }
    return 0;
  };
  dl_iterate_phdr(release, nullptr);
}

}  // namespace

/** Finds the best kind of processor that this machine and its operating system support. */
extern "C" int findProcessor() {
#if defined(__x86_64__)
  // asked directly: the compilers' own function is missing in Zig's run-time library
  constexpr unsigned avx2 = bit_AVX2 | bit_BMI | bit_BMI2;
  constexpr unsigned avx512 = avx2 | bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;
  unsigned a, b, c, d, saved, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_FMA) || !(c & bit_OSXSAVE)) return 0;
  asm("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));  // registers that the operating system saves
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const auto has = [&](unsigned flags, unsigned state) {
    return (b & flags) == flags && (saved & state) == state;
  };
  return has(avx512, 0xe6) ? 2 : has(avx2, 0x06) ? 1 : 0;
#else
  return 0;
#endif
}

/** Registers the operations; the first call in a process decides. Returns null, or an error message. */
extern "C" const char* registerOperations(int threads, int kind) {
  static std::once_flag once;
  static std::string failure;
  std::call_once(once, [&] {
    useThreads(threads);
    processor = static_cast<Processor>(std::clamp(kind, 0, findProcessor()));
    failure = registerAll();
    releasePages();
  });
  return failure.empty() ? nullptr : failure.c_str();
}
