// Which of the tables that are compiled for one kind of processor each is for this one.
#pragma once

enum class Processor { baseline, avx2, avx512 };

/** The best kind that this processor is, but none better than the one given to useAtMost. */
Processor processor();

/** Sets what processor() may be at best, before anything computes. */
void useAtMost(Processor best);

#if defined(__x86_64__)
#define FOR_THIS_PROCESSOR(name)                   \
  (processor() == Processor::avx512 ? name##Avx512 \
   : processor() == Processor::avx2 ? name##Avx2   \
                                    : name##Baseline)
#else
#define FOR_THIS_PROCESSOR(name) name##Baseline
#endif
