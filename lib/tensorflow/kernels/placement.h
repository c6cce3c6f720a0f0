// Pins threads to processors. Linux wakes a thread on the waking thread's processor, and moves it to one that
// is idle only after some milliseconds, many times what an operation takes; on virtual machines it does so
// most of the time. Beside other programs it is the other way round: a pinned thread waits for its processor
// while others are idle.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <vector>

/** Pins threads to different processors if there are as many threads as processors that they may use. */
class Placement {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static Time now() { return std::chrono::steady_clock::now(); }

  void add(pthread_t thread) { threads_.push_back(thread); }

  /** Pins each thread to its own processor, none to the caller's. The caller's own choice is left to Linux. */
  void spread() {
    cpu_set_t allowed;  // may have changed since the last call, as by taskset or a container's settings
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const int here = sched_getcpu();
    crowded_ = now() < crowdedUntil_;
    const bool pins = !crowded_ && CPU_COUNT(&allowed) == static_cast<int>(threads_.size()) + 1;
    if (pins == pinned_ && (!pins || here == here_) && CPU_EQUAL(&allowed, &allowed_)) return;
    allowed_ = allowed, here_ = here, pinned_ = pins;
    int processor = 0;
    for (pthread_t thread : threads_) {
      cpu_set_t own = allowed;
      if (pins) {
        while (processor == here || !CPU_ISSET(processor, &allowed)) processor++;
        CPU_ZERO(&own);
        CPU_SET(processor++, &own);
      }
      pthread_setaffinity_np(thread, sizeof own, &own);
    }
  }

  /** Notes how long the caller worked and then waited for the others: long, where they lack a processor. */
  void note(Time start, Time done, Time end) {
    constexpr std::chrono::milliseconds SHORT(1), PAUSE(300);
    if (end - done > SHORT && end - done > (done - start) / 2) crowdedUntil_ = end + PAUSE;
  }

  /** Tells whether other programs need the processors, so that threads should sleep and not spin while they wait. */
  bool isCrowded() const { return crowded_; }

 private:
  std::vector<pthread_t> threads_;
  cpu_set_t allowed_ = {};
  int here_ = -1;
  bool pinned_ = false;
  std::atomic<bool> crowded_{false};
  Time crowdedUntil_;
};

/** Pauses for a moment in a loop that waits for another thread. */
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
