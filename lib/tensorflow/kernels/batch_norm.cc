// Batch normalisation as torch.nn.BatchNorm2d trains it, and its gradients, on all threads.
#include <vector>

#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "statistics.h"

namespace {

/** Computes y = relu(norm(x) + shortcut); `shortcut` may be null. */
void normalise(Batch batch, NormTensors norm, const float* shortcut, bool relu, float epsilon, float momentum,
               float* y, NormResults results) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long rows = batch.rows, parts = partsFor(rows, ROWS_WORTH_A_THREAD);
  // a row is mostly near enough to the mean
  const Statistics statistics = statisticsOf(batch, std::vector<float>(batch.x, batch.x + batch.C));
  const Fold fold = foldStatistics(statistics, rows, norm, epsilon, momentum, results);
  const Affine affine = {fold.factor.data(), fold.offset.data(), shortcut, relu};
  inParallel(parts, [&](long part) { with.apply(batch, rangeOf(rows, part, parts), affine, y); });
}

/** Computes dx [rows, C], the gradients of weight and bias, [C] each, and g as in normalisation.h. */
void normaliseGradient(Batch batch, const float* weight, const float* mean, const float* scale,
                       Gradient gradient, float* dx, float* dWeight, float* dBias) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long C = batch.C, rows = batch.rows, parts = partsFor(rows, ROWS_WORTH_A_THREAD);
  sumGradient(batch, mean, scale, gradient, dWeight, dBias);
  const NormGradient own = normGradient(weight, mean, scale, dWeight, dBias, rows, C);
  inParallel(parts, [&](long part) {
    with.applyGradient(batch, rangeOf(rows, part, parts), gradient, own.factor.data(), own.slope.data(),
                       own.offset.data(), dx);
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
  setShape(context, status, 0, {}, {{0, 0, 4}});
  for (int vector = 1; vector <= 4; vector++) setShape(context, status, vector, {}, {{1, 0, 1}});
}

void inferGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {}, {{1, 0, 4}});
  for (int vector = 1; vector <= 2; vector++) setShape(context, status, vector, {}, {{3, 0, 1}});
}

void inferShortcutGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  inferGradient(context, status);
  setShape(context, status, 3, {}, {{1, 0, 4}});
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
const Operation NORMALISE_GRADIENT = {
    "NormaliseBatchGradient", {"dy", "x", "y", "weight", "mean", "scale"}, {"dx", "d_weight", "d_bias"},
    {"relu: bool"},           [](Run& run) { differentiate(run, false); }, inferGradient};

/** The same, and the gradient of the shortcut. */
const Operation NORMALISE_SHORTCUT_GRADIENT = {
    "NormaliseBatchShortcutGradient",           {"dy", "x", "y", "weight", "mean", "scale"},
    {"dx", "d_weight", "d_bias", "d_shortcut"}, {"relu: bool"},
    [](Run& run) { differentiate(run, true); }, inferShortcutGradient};
