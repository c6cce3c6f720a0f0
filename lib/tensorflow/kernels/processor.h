// Which of the tables that are compiled for one kind of processor each is for this one.
#pragma once

enum class Processor { baseline, avx2, avx512 };

/** The kind that was given to useProcessor. */
Processor processor();

/** Sets what processor() is, before anything computes. Nothing checks that this one is of that kind. */
void useProcessor(Processor wanted);

#if defined(__x86_64__)
#define FOR_THIS_PROCESSOR(name)                   \
  (processor() == Processor::avx512 ? name##Avx512 \
   : processor() == Processor::avx2 ? name##Avx2   \
                                    : name##Baseline)
#else
#define FOR_THIS_PROCESSOR(name) name##Baseline
#endif
