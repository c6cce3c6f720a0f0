// The kind of processor that the code runs on: each table of functions is compiled for several.
#pragma once

enum class Processor { baseline, avx2, avx512 };

/** Set before the first computation. */
inline Processor processor = Processor::baseline;

#if defined(__x86_64__)
#define FOR_THIS_PROCESSOR(name) \
  (processor == Processor::avx512 ? name##Avx512 : processor == Processor::avx2 ? name##Avx2 : name##Baseline)
#else
#define FOR_THIS_PROCESSOR(name) name##Baseline
#endif
