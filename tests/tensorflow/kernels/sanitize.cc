// Runs the package's operations without TensorFlow, to be compiled with a sanitizer: below is a stand-in for
// the part of its C interface that they call. Exits with 1 and a line for each result that is not as it
// should be.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "vectors/map_scores.h"
#include "vectors/muon.h"
#include "vectors/normalisation.h"
#include "vectors/stem.h"
#include "vectors/winograd.h"

struct TSL_Status {
  TF_Code code = TF_OK;
};

struct TF_Tensor {
  std::vector<int64_t> shape;
  std::shared_ptr<float[]> values;  // not one number longer than the shape says

  int64_t size() const {
    int64_t size = 1;
    for (int64_t length : shape) size *= length;
    return size;
  }
};

struct TF_OpKernelContext {
  std::vector<TF_Tensor> inputs, outputs;
  bool failed = false;
};

extern "C" {
TF_Status* TF_NewStatus() { return new TF_Status; }
void TF_DeleteStatus(TF_Status* status) { delete status; }
void TF_SetStatus(TF_Status* status, TF_Code code, const char*) { status->code = code; }
TF_Code TF_GetCode(const TF_Status* status) { return status->code; }
int TF_NumDims(const TF_Tensor* tensor) { return static_cast<int>(tensor->shape.size()); }
int64_t TF_Dim(const TF_Tensor* tensor, int axis) { return tensor->shape.at(axis); }
int64_t TF_TensorElementCount(const TF_Tensor* tensor) { return tensor->size(); }
void* TF_TensorData(const TF_Tensor* tensor) { return tensor->values.get(); }
void TF_DeleteTensor(TF_Tensor* tensor) { delete tensor; }
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status*) {
  *tensor = new TF_Tensor(context->inputs.at(index));
}
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType, const int64_t* shape,
                             int rank, size_t bytes, TF_Status*) {
  context->outputs.resize(std::max<size_t>(context->outputs.size(), index + 1));
  context->outputs[index] = {{shape, shape + rank}, std::shared_ptr<float[]>(new float[bytes / sizeof(float)])};
  return new TF_Tensor(context->outputs[index]);
}
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status*) { context->failed = true; }
}

namespace {

using Shape = std::vector<int64_t>;
using Tensors = std::vector<TF_Tensor>;

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  failures++;
}

TF_Tensor draw(Shape shape) {
  static std::mt19937 random(1);
  TF_Tensor tensor = {std::move(shape), nullptr};
  tensor.values.reset(new float[tensor.size()]);
  for (int64_t at = 0; at < tensor.size(); at++) tensor.values[at] = random() / 2e9f - 1;
  return tensor;
}

struct Call {
  const Operation& operation;
  Attributes attributes;
  Tensors inputs;

  TF_OpKernelContext operator()() const {
    TF_OpKernelContext context = {inputs, {}};
    {
      Run run(attributes, &context);
      operation.run(run);
    }
    return context;
  }
};

/** Calls of each operation on maps of this size. */
void addCalls(std::vector<Call>& calls, int64_t B, int64_t H, int64_t W, int64_t C, int64_t K) {
  const TF_Tensor x = draw({B, H, W, C}), y = draw({B, H, W, K}), kernel = draw({3, 3, C, K}), k = draw({K}),
                  none = draw({0});
  calls.push_back({WINOGRAD_3X3, {}, {x, kernel}});
  calls.push_back({WINOGRAD_3X3_FUSED, {1}, {x, kernel, k, y}});
  calls.push_back({WINOGRAD_3X3_FUSED, {0}, {x, kernel, k, none}});
  calls.push_back({WINOGRAD_3X3_INPUT_GRADIENT, {}, {y, kernel}});
  calls.push_back({WINOGRAD_3X3_KERNEL_GRADIENT, {}, {x, y}});
  if (B > 0) {
    calls.push_back({NORMALISE, {1, 1e-5f, 0.1f}, {y, k, k, k, k, y}});
    calls.push_back({NORMALISE, {0, 1e-5f, 0.1f}, {y, k, k, k, k, none}});
    calls.push_back({NORMALISE_GRADIENT, {1}, {y, y, y, k, k, k}});
    calls.push_back({NORMALISE_SHORTCUT_GRADIENT, {0}, {y, y, y, k, k, k}});
  }
  const TF_Tensor images = draw({B, H, W, 3}), large = draw({7, 7, 3, K});
  calls.push_back({STEM_FUSED, {}, {images, large, k}});
  if (B > 0) {
    const TF_Tensor maps = draw({B, (H + 1) / 2, (W + 1) / 2, K}), pooled = draw({B, (H + 3) / 4, (W + 3) / 4, K});
    calls.push_back({STEM, {1e-5f, 0.1f}, {images, large, k, k, k, k}});
    calls.push_back({STEM_NORM_GRADIENT, {}, {pooled, pooled, pooled, k, k}});
    calls.push_back({STEM_KERNEL_GRADIENT, {}, {images, maps, pooled, pooled, pooled, k, k, k, k, k}});
  }
  const TF_Tensor v = draw({B, 4, 4, C}), filters = draw({5, C}), hidden = draw({K, 16}), output = draw({1, K});
  calls.push_back({MAP_SCORES, {}, {v, filters, hidden, k, output, draw({1})}});
  calls.push_back({MAP_SCORES_GRADIENT,
                   {},
                   {draw({B, 5}), v, filters, hidden, output, draw({B, 5, 16}), draw({B, 5, K})}});
  calls.push_back({MUON_STEP, {0.7f}, {kernel, kernel, kernel, draw({})}});
  calls.push_back({NESTEROV_STEP, {0.9f, 0.1f}, {kernel, kernel, kernel, draw({})}});
}

/** Calls that must be refused: an input less, or of another shape with as many numbers. */
void expectRefusals() {
  const TF_Tensor x = draw({2, 4, 6, 16}), turned = draw({2, 6, 4, 16}), c = draw({16}), row = draw({1, 16}),
                  one = draw({1}), images = draw({2, 8, 12, 3}), large = draw({7, 7, 3, 16}),
                  maps = draw({2, 4, 6, 16}), pooled = draw({2, 2, 3, 16}), square = draw({2, 4, 4, 16}),
                  weights = draw({16, 16});
  const Call wrong[] = {
      {MAP_SCORES, {}, {x, weights, weights, c, row, one}},
      {MAP_SCORES, {}, {square, draw({16, 5}), weights, c, row, one}},
      {MAP_SCORES, {}, {square, weights, draw({16, 32}), c, row, one}},
      {MAP_SCORES, {}, {square, weights, weights, row, row, one}},
      {MAP_SCORES_GRADIENT, {}, {weights, square, weights, weights, row, draw({2, 16, 16}), draw({2, 16, 16})}},
      {STEM, {0, 0}, {images, draw({7, 3, 7, 16}), c, c, c, c}},
      {STEM, {0, 0}, {images, large, c, c, row, c}},
      {STEM, {0, 0}, {draw({0, 8, 12, 3}), large, c, c, c, c}},
      {STEM_FUSED, {}, {draw({2, 8, 9, 5}), draw({7, 7, 5, 16}), c}},
      {STEM_NORM_GRADIENT, {}, {pooled, pooled, draw({2, 3, 2, 16}), c, c}},
      {STEM_KERNEL_GRADIENT, {}, {images, turned, pooled, pooled, pooled, c, c, c, c, c}},
      {STEM_KERNEL_GRADIENT, {}, {images, maps, pooled, pooled, maps, c, c, c, c, c}},
      {STEM_KERNEL_GRADIENT, {}, {images, maps, pooled, pooled, pooled, c, c, c, c, row}},
      {WINOGRAD_3X3, {}, {x, draw({3, 16, 3, 16})}},
      {WINOGRAD_3X3_FUSED, {1}, {x, draw({3, 3, 16, 16}), row, x}},
      {WINOGRAD_3X3_FUSED, {1}, {x, draw({3, 3, 16, 16}), c, turned}},
      {WINOGRAD_3X3_INPUT_GRADIENT, {}, {draw({2, 4, 3, 32}), draw({3, 3, 16, 16})}},
      {WINOGRAD_3X3_KERNEL_GRADIENT, {}, {x, turned}},
      {NORMALISE, {1, 0, 0}, {x, c, c, c, c, turned}},
      {NORMALISE, {1, 0, 0}, {x, c, row, c, c, x}},
      {NORMALISE_GRADIENT, {0}, {turned, x, x, c, c, c}},
      {NORMALISE_GRADIENT, {1}, {x, x, turned, c, c, c}},
      {NORMALISE_SHORTCUT_GRADIENT, {1}, {x, x, x, c, c, draw({8})}},
      {MUON_STEP, {0}, {x, turned, x, draw({})}},
      {MUON_STEP, {0}, {draw({1, 1, 8, 16}), draw({1, 1, 8, 16}), draw({1, 1, 8, 16}), draw({})}},
      {NESTEROV_STEP, {0, 0}, {x, turned, x, draw({})}},
      {NESTEROV_STEP, {0, 0}, {x, x, turned, draw({})}},
      {NESTEROV_STEP, {0, 0}, {x, x, x, one}},
  };
  for (const Call& call : wrong) expect(call().failed, call.operation.name);
}

bool isSame(const TF_OpKernelContext& one, const TF_OpKernelContext& other) {
  if (one.failed || other.failed || one.outputs.size() != other.outputs.size()) return false;
  for (size_t at = 0; at < one.outputs.size(); at++) {
    const TF_Tensor &left = one.outputs[at], &right = other.outputs[at];
    const size_t bytes = left.size() * sizeof(float);
    if (left.shape != right.shape || std::memcmp(left.values.get(), right.values.get(), bytes) != 0) return false;
  }
  return true;
}

std::vector<Processor> processors() {
  std::vector<Processor> kinds = {Processor::baseline};
#if defined(ALL_PROCESSORS)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) kinds.push_back(Processor::avx2);
  if (__builtin_cpu_supports("avx512dq")) kinds.push_back(Processor::avx512);
#endif
  return kinds;
}

/** Calls all operations from two threads at once, which must give the bits that one gives. */
void runAll(int times) {
  std::vector<Call> calls;
  addCalls(calls, 2, 5, 6, 16, 32);
  addCalls(calls, 1, 1, 1, 16, 16);
  addCalls(calls, 0, 8, 8, 16, 16);
  addCalls(calls, 16, 8, 9, 32, 16);
  std::vector<TF_OpKernelContext> expected;
  for (const Call& call : calls) expected.push_back(call());
  std::atomic<int> different{0};
  const auto repeat = [&] {
    for (int time = 0; time < times; time++) {
      for (size_t at = 0; at < calls.size(); at++) different += !isSame(calls[at](), expected[at]);
    }
  };
  std::thread other(repeat);
  repeat();
  other.join();
  expect(different == 0, "an operation's bits from two threads");
}

/** Many jobs of almost no work: each part once, and none after the end. */
void runSmallJobs(int jobs) {
  const auto repeat = [&] {
    for (int job = 0; job < jobs; job++) {
      std::vector<int> done(2 * threads());
      inParallel(2 * threads(), [&](long part) { done[part]++; });
      for (int times : done) expect(times == 1, "a part of a job");
    }
  };
  std::thread other(repeat);
  repeat();
  other.join();
}

/** The threads of this process. */
std::vector<int> listThreads() {
  std::vector<int> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    threads.push_back(std::stoi(entry.path().filename()));
  return threads;
}

/** Restricts all threads to another processor than the caller's, as taskset may at any time: they must stay there. */
void expectObedience() {
  cpu_set_t allowed, one, own;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof allowed, &allowed);
  const int here = sched_getcpu();
  for (int processor = 0; processor < CPU_SETSIZE && CPU_COUNT(&one) == 0; processor++)
    if (processor != here && CPU_ISSET(processor, &allowed)) CPU_SET(processor, &one);
  if (CPU_COUNT(&one) == 0) return;  // there is no other
  for (int thread : listThreads()) sched_setaffinity(thread, sizeof one, &one);
  runSmallJobs(5);
  for (int thread : listThreads()) {
    sched_getaffinity(thread, sizeof own, &own);
    expect(CPU_EQUAL(&own, &one), "a thread's processor after taskset");
  }
}

}  // namespace

int main(int, char** arguments) {
  useThreads(std::atol(arguments[1]));
  for (Processor kind : processors()) {
    processor = kind;
#if defined(ALL_PROCESSORS)
    const Winograd* tables[] = {&winogradBaseline, &winogradAvx2, &winogradAvx512};
    const Normalisation* others[] = {&normalisationBaseline, &normalisationAvx2, &normalisationAvx512};
    const Stem* stems[] = {&stemBaseline, &stemAvx2, &stemAvx512};
    const Muon* optimizers[] = {&muonBaseline, &muonAvx2, &muonAvx512};
    const MapScores* heads[] = {&mapScoresBaseline, &mapScoresAvx2, &mapScoresAvx512};
    const int at = static_cast<int>(kind);
    expect(&FOR_THIS_PROCESSOR(winograd) == tables[at], "the table of a processor");
    expect(&FOR_THIS_PROCESSOR(normalisation) == others[at], "the table of a processor");
    expect(&FOR_THIS_PROCESSOR(muon) == optimizers[at], "the table of a processor");
    expect(&FOR_THIS_PROCESSOR(stem) == stems[at], "the table of a processor");
    expect(&FOR_THIS_PROCESSOR(mapScores) == heads[at], "the table of a processor");
#endif
    runAll(std::atoi(arguments[2]));
  }
  expectRefusals();
  runSmallJobs(std::atoi(arguments[3]));
  expectObedience();
  if (failures == 0) std::puts("all fine");
  return failures > 0;
}
