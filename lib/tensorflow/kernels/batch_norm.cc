// Batch normalisation as torch.nn.BatchNorm2d trains it, and its gradients, on all threads.
#include <algorithm>
#include <cmath>
#include <vector>

#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "vectors/normalisation.h"

namespace {

/** Parameters and running statistics, [C] each. */
struct NormTensors {
  const float *weight, *bias, *runningMean, *runningVariance;
};

/** Results of a batch: running statistics after it, and its own for the gradient, [C] each. */
struct NormResults {
  float *runningMean, *runningVariance, *mean, *scale;
};

constexpr long ROWS_WORTH_A_THREAD = 512;

long partsFor(long rows) { return std::clamp(rows / ROWS_WORTH_A_THREAD, 1L, threads()); }

/** Two sums per channel and part. */
class Sums {
 public:
  Sums(long parts, long C) : parts_(parts), C_(C), values_(2 * parts * C) {}

  double* of(int which, long part) { return values_.data() + (2 * part + which) * C_; }

  double total(int which, long c) {
    double sum = 0;
    for (long part = 0; part < parts_; part++) sum += of(which, part)[c];
    return sum;
  }

 private:
  long parts_, C_;
  std::vector<double> values_;
};

/** A channel whose reference is this many deviations from its mean is added up again, squared. */
constexpr double FAR = 10 * 10;

/** Mean and variance of each channel. */
struct Statistics {
  std::vector<double> mean, variance;
};

Statistics statisticsOf(Batch batch) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long rows = batch.rows, C = batch.C, parts = partsFor(rows);
  Statistics statistics = {std::vector<double>(C), std::vector<double>(C)};
  std::vector<float> reference(batch.x, batch.x + C);  // a row is mostly near enough that no digits are lost
  for (bool isAgain = false;; isAgain = true) {
    Sums sums(parts, C);
    inParallel(parts, [&](long part) {
      with.sumUp(batch, rangeOf(rows, part, parts), reference.data(), sums.of(0, part), sums.of(1, part));
    });
    bool isFar = false;
    for (long c = 0; c < C; c++) {
      const double shift = sums.total(0, c) / rows, square = shift * shift;
      statistics.mean[c] = reference[c] + shift;
      statistics.variance[c] = std::max(sums.total(1, c) / rows - square, 0.0);
      if (square <= FAR * statistics.variance[c] || !std::isfinite(square)) continue;
      reference[c] = static_cast<float>(statistics.mean[c]);
      isFar = true;
    }
    if (!isFar || isAgain) return statistics;
  }
}

/** Computes y = relu(norm(x) + shortcut); `shortcut` may be null. */
void normalise(Batch batch, NormTensors norm, const float* shortcut, bool relu, float epsilon, float momentum,
               float* y, NormResults results) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long rows = batch.rows, C = batch.C, parts = partsFor(rows);
  const Statistics statistics = statisticsOf(batch);
  std::vector<float> factor(C), offset(C);
  for (long c = 0; c < C; c++) {
    const double mean = statistics.mean[c], variance = statistics.variance[c];
    const double unbiased = variance * rows / std::max(rows - 1, 1L);
    const double scale = 1 / std::sqrt(variance + epsilon);
    results.mean[c] = static_cast<float>(mean);
    results.scale[c] = static_cast<float>(scale);
    results.runningMean[c] = static_cast<float>((1 - momentum) * norm.runningMean[c] + momentum * mean);
    results.runningVariance[c] =
        static_cast<float>((1 - momentum) * norm.runningVariance[c] + momentum * unbiased);
    factor[c] = static_cast<float>(norm.weight[c] * scale);
    offset[c] = static_cast<float>(norm.bias[c] - mean * norm.weight[c] * scale);
  }
  const Affine affine = {factor.data(), offset.data(), shortcut, relu};
  inParallel(parts, [&](long part) { with.apply(batch, rangeOf(rows, part, parts), affine, y); });
}

/** Computes dx [rows, C], the gradients of weight and bias, [C] each, and g as in normalisation.h. */
void normaliseGradient(Batch batch, const float* weight, const float* mean, const float* scale,
                       Gradient gradient, float* dx, float* dWeight, float* dBias) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long C = batch.C, rows = batch.rows, parts = partsFor(rows);
  Sums sums(parts, C);
  inParallel(parts, [&](long part) {
    with.sumUpGradient(batch, rangeOf(rows, part, parts), mean, gradient, sums.of(0, part), sums.of(1, part));
  });
  std::vector<float> factor(C), slope(C), offset(C);
  for (long c = 0; c < C; c++) {
    // dx = weight · scale · (g − mean of g − (x − mean) · scale² · mean of g · (x − mean))
    const double sum = sums.total(0, c), product = sums.total(1, c), whole = double(weight[c]) * scale[c];
    const double tilt = -whole * scale[c] * scale[c] * product / rows;
    dBias[c] = static_cast<float>(sum);
    dWeight[c] = static_cast<float>(product * scale[c]);
    factor[c] = static_cast<float>(whole);
    slope[c] = static_cast<float>(tilt);
    offset[c] = static_cast<float>(-whole * sum / rows - tilt * mean[c]);
  }
  inParallel(parts, [&](long part) {
    with.applyGradient(batch, rangeOf(rows, part, parts), gradient, factor.data(), slope.data(),
                       offset.data(), dx);
  });
}

// ── operations ──

bool isBatch(TF_Tensor* x) {
  return TF_NumDims(x) == 4 && TF_Dim(x, 3) % CHANNELS == 0 && TF_TensorElementCount(x) > 0;
}

Batch batchOf(TF_Tensor* x) {
  const long C = TF_Dim(x, 3);
  return {numbers(x), TF_TensorElementCount(x) / C, C};
}

constexpr const char* BAD_BATCH = "x must be [B,H,W,C], not empty, C a multiple of 16";
constexpr const char* BAD_VECTORS = "a vector must be [C]";
constexpr const char* BAD_MAPS = "maps must have x's shape";

void normaliseBatch(Run& run) {
  TF_Tensor* x = run.input(0);
  if (!run.demand(isBatch(x), BAD_BATCH)) return;
  const Batch batch = batchOf(x);
  const float* vectors[4];
  for (int k = 0; k < 4; k++) {
    TF_Tensor* tensor = run.input(k + 1);
    if (!run.demand(isVector(tensor, batch.C), BAD_VECTORS)) return;
    vectors[k] = numbers(tensor);
  }
  const NormTensors norm = {vectors[0], vectors[1], vectors[2], vectors[3]};
  TF_Tensor* shortcut = run.input(5);
  const bool isShort = !isVector(shortcut, 0);
  if (!run.demand(!isShort || isSameShape(x, shortcut), BAD_MAPS)) return;
  float* y = run.output(0, {TF_Dim(x, 0), TF_Dim(x, 1), TF_Dim(x, 2), batch.C});
  NormResults results = {run.output(1, {batch.C}), run.output(2, {batch.C}), run.output(3, {batch.C}),
                         run.output(4, {batch.C})};
  if (!run.isFine()) return;
  const bool relu = run.attribute(0) != 0;
  normalise(batch, norm, isShort ? numbers(shortcut) : nullptr, relu, run.attribute(1), run.attribute(2), y,
            results);
}

void differentiate(Run& run, bool wantsSum) {
  TF_Tensor *dy = run.input(0), *x = run.input(1), *y = run.input(2), *weight = run.input(3),
            *mean = run.input(4), *scale = run.input(5);
  if (!run.demand(isBatch(x), BAD_BATCH)) return;
  const Batch batch = batchOf(x);
  const bool relu = run.attribute(0) != 0;
  if (!run.demand(isSameShape(x, dy) && (!relu || isSameShape(x, y)), BAD_MAPS)) return;
  for (TF_Tensor* vector : {weight, mean, scale}) {
    if (!run.demand(isVector(vector, batch.C), BAD_VECTORS)) return;
  }
  const int64_t B = TF_Dim(x, 0), H = TF_Dim(x, 1), W = TF_Dim(x, 2);
  float *dx = run.output(0, {B, H, W, batch.C}), *dWeight = run.output(1, {batch.C}),
        *dBias = run.output(2, {batch.C});
  float* g = wantsSum ? run.output(3, {B, H, W, batch.C}) : nullptr;
  if (!run.isFine()) return;
  const Gradient gradient = {numbers(dy), relu ? numbers(y) : nullptr, g};
  normaliseGradient(batch, numbers(weight), numbers(mean), numbers(scale), gradient, dx, dWeight, dBias);
}

void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, 0, {{0, 0, 4}});
  for (int vector = 1; vector <= 4; vector++) setShape(context, status, vector, 0, {{1, 0, 1}});
}

void inferGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, 0, {{1, 0, 4}});
  for (int vector = 1; vector <= 2; vector++) setShape(context, status, vector, 0, {{3, 0, 1}});
}

void inferShortcutGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  inferGradient(context, status);
  setShape(context, status, 3, 0, {{1, 0, 4}});
}

}  // namespace

/** Computes y = relu(norm(x) + shortcut); the shortcut may be empty. `scale` is 1 / √(variance + ε). */
const Operation NORMALISE = {"NormaliseBatch",
                             {"x", "weight", "bias", "running_mean", "running_variance", "shortcut"},
                             {"y", "new_mean", "new_variance", "mean", "scale"},
                             {"relu: bool", "epsilon: float", "momentum: float"},
                             normaliseBatch,
                             infer};

/** Computes gradients. `y` is read with `relu` only. */
const Operation NORMALISE_GRADIENT = {"NormaliseBatchGradient",
                                      {"dy", "x", "y", "weight", "mean", "scale"},
                                      {"dx", "d_weight", "d_bias"},
                                      {"relu: bool"},
                                      [](Run& run) { differentiate(run, false); },
                                      inferGradient};

/** The same, and the gradient of the shortcut. */
const Operation NORMALISE_SHORTCUT_GRADIENT = {"NormaliseBatchShortcutGradient",
                                               {"dy", "x", "y", "weight", "mean", "scale"},
                                               {"dx", "d_weight", "d_bias", "d_shortcut"},
                                               {"relu: bool"},
                                               [](Run& run) { differentiate(run, true); },
                                               inferShortcutGradient};
