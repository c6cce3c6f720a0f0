// Pins threads to processors. Linux wakes a thread on the waking thread's processor, and moves it to one that
// is idle only after some milliseconds, many times what an operation takes; on virtual machines it does so
// most of the time.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <vector>

/** Pins threads to different processors if there are as many threads as processors. */
class Placement {
 public:
  Placement() {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (int processor = 0; processor < CPU_SETSIZE; processor++) {
      if (CPU_ISSET(processor, &allowed)) processors_.push_back(processor);
    }
  }

  void add(pthread_t thread) { threads_.push_back(thread); }

  /** Pins each thread to its own processor, none to the caller's. */
  void spread() {
    if (threads_.size() + 1 != processors_.size()) return;  // with spare processors, Linux chooses
    const int here = sched_getcpu();
    if (here == last_) return;
    last_ = here;
    size_t thread = 0;
    for (int processor : processors_) {
      if (processor == here || thread == threads_.size()) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(processor, &one);
      pthread_setaffinity_np(threads_[thread++], sizeof one, &one);
    }
  }

 private:
  std::vector<int> processors_;
  std::vector<pthread_t> threads_;
  int last_ = -1;
};

/** Pauses for a moment in a loop that waits for another thread. */
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
