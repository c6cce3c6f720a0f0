#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "placement.h"

namespace {

/** The parts of one call of inParallel. */
struct Job {
  const std::function<void(long)>* work;
  long parts;
  std::atomic<long> next{0};

  /** Runs parts until none is left. */
  void help() {
    for (long part; (part = next++) < parts;) (*work)(part);
  }
};

/** Spins before a thread sleeps or yields: some 20 µs. Waking it takes longer. */
constexpr int LOOKS = 1000;

/** Threads that wait for jobs. Never destroyed, since they wait on it until the process ends. */
class Pool {
 public:
  explicit Pool(long helpers) : helpers_(helpers) {
    for (long helper = 0; helper < helpers; helper++) {
      std::thread thread([this] { wait(); });
      placement_.add(thread.native_handle());
      thread.detach();
    }
  }

  void run(Job& job) {
    placement_.spread();
    const auto start = Placement::now();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      calls_++;
    }
    for (long other = 1; other < job.parts && other <= helpers_; other++) called_.notify_one();
    job.help();
    const auto done = Placement::now();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = nullptr;  // a late thread finds no part left
    }
    for (int look = 0; helping_ > 0; look++) {  // all parts are taken
      if (look < looks()) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
    placement_.note(start, done, Placement::now());
  }

 private:
  int looks() const { return placement_.isCrowded() ? 0 : LOOKS; }

  void wait() {
    for (long seen = 0;;) {
      for (int look = 0; look < looks() && calls_ == seen; look++) relax();
      std::unique_lock<std::mutex> lock(mutex_);
      called_.wait(lock, [&] { return calls_ != seen; });
      seen = calls_;
      Job* job = job_;
      if (!job) continue;
      helping_++;
      lock.unlock();
      job->help();
      helping_--;
    }
  }

  const long helpers_;
  Placement placement_;
  std::mutex mutex_;
  std::condition_variable called_;
  Job* job_ = nullptr;
  std::atomic<long> calls_{0};
  std::atomic<long> helping_{0};
};

long count = 1;
std::mutex turn;

}  // namespace

void useThreads(long wanted) { count = std::clamp(wanted, 1L, 1024L); }

long threads() { return count; }

long partsFor(long items, long worth) { return std::clamp(items / worth, 1L, count); }

void inParallel(long parts, const std::function<void(long)>& work) {
  if (parts == 1) return work(0);
  std::lock_guard<std::mutex> lock(turn);
  static Pool* pool = new Pool(count - 1);
  Job job{&work, parts};
  pool->run(job);
}
