// The stem of a residual network, and the gradients of its parameters, on all threads: a 7×7 convolution with
// stride 2, batch normalisation, ReLU and 3×3 max-pooling with stride 2. Shapes as in vectors/stem.h.
//
// The normalisation rises with x, or falls where its weight is negative. So the pooled maps are those of each
// window's maximum, or minimum, and nothing but x is stored in full size.
#include <algorithm>
#include <vector>

#include "buffer.h"
#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "statistics.h"
#include "vectors/stem.h"

namespace {

thread_local Buffer transformed, scratch, unpooled;

constexpr long IMAGES_WORTH_A_THREAD = 1;

/** A batch of images and the kernel [7,7,C,K]. */
struct Input {
  const float *images, *kernel;
  long B;
  StemSize size;
};

/** Calls work(image, part, maps) for each image after its convolution to maps = x(image). */
template <typename Where, typename Work>
void convolveEach(const Input& input, const Where& x, const Work& work) {
  const Stem& with = FOR_THIS_PROCESSOR(stem);
  const StemSize size = input.size;
  float* u = transformed.ofSize(stemKernelSize(size.C, size.K));
  with.transformKernel(input.kernel, u, size.C, size.K);
  const long parts = partsFor(input.B, IMAGES_WORTH_A_THREAD);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(stemScratchSize(size));
    const Range images = rangeOf(input.B, part, parts);
    for (long image = images.first; image < images.end; image++) {
      float* maps = x(image);
      with.convolve(input.images + image * size.image(), u, maps, size, own);
      work(image, part, maps);
    }
  });
}

/** Computes pooled y and its maxima, and x. */
void normaliseStem(const Input& input, NormTensors norm, float epsilon, float momentum, float* y,
                   float* maxima, float* x, NormResults results) {
  const Stem& with = FOR_THIS_PROCESSOR(stem);
  const Normalisation& normalisation = FOR_THIS_PROCESSOR(normalisation);
  const StemSize size = input.size;
  const long K = size.K, pixels = size.h() * size.w(), rows = input.B * pixels;
  std::vector<float> reference(K, 0.0f);  // a convolution's mean is seldom far from it
  Sums sums(partsFor(input.B, IMAGES_WORTH_A_THREAD), K);
  convolveEach(
      input, [&](long image) { return x + image * size.maps(); },
      [&](long image, long part, const float* maps) {
        normalisation.sumUp({maps, pixels, K}, {0, pixels}, reference.data(), sums.of(0, part),
                            sums.of(1, part));
        with.pool(maps, norm.weight, maxima + image * size.pooled(), size);
      });
  Statistics statistics;
  if (isTooFar(sums, rows, reference, statistics)) statistics = statisticsOf({x, rows, K}, reference);
  const Fold fold = foldStatistics(statistics, rows, norm, epsilon, momentum, results);
  const Batch pooled = {maxima, input.B * size.pooled() / K, K};
  const Affine affine = {fold.factor.data(), fold.offset.data(), nullptr, true};
  const long parts = partsFor(pooled.rows, ROWS_WORTH_A_THREAD);
  inParallel(parts,
             [&](long part) { normalisation.apply(pooled, rangeOf(pooled.rows, part, parts), affine, y); });
}

/** Computes the kernel's gradient. */
void kernelGradient(const float* images, long B, StemSize size, StemGradient batch, float* dKernel) {
  const Stem& with = FOR_THIS_PROCESSOR(stem);
  const long parts = partsFor(B, IMAGES_WORTH_A_THREAD), length = stemKernelSize(size.C, size.K);
  float* du = transformed.ofSize(parts * length);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(stemScratchSize(size));
    std::fill_n(du + part * length, length, 0.0f);
    const Range range = rangeOf(B, part, parts);
    for (long image = range.first; image < range.end; image++) {
      StemGradient gradient = batch;
      gradient.x += image * size.maps();
      for (const float** pooled : {&gradient.maxima, &gradient.dy, &gradient.y})
        *pooled += image * size.pooled();
      with.correlate(images + image * size.image(), gradient, du + part * length, size, own);
    }
  });
  with.collectKernel(du, parts, dKernel, size.C, size.K);
}

// ── operations ──

constexpr const char* BAD_IMAGES = "the images must be [B,H,W,C], not empty, C at most 4";
constexpr const char* BAD_KERNEL = "the kernel must be [7,7,C,K], K a multiple of 16";
constexpr const char* BAD_VECTORS = "a vector must be [K]";
constexpr const char* BAD_MAPS = "maps must be [B,⌈H/2⌉,⌈W/2⌉,K], pooled ones half as large";

bool isImages(TF_Tensor* images) {
  return TF_NumDims(images) == 4 && TF_Dim(images, 1) > 0 && TF_Dim(images, 2) > 0 && TF_Dim(images, 3) > 0 &&
         TF_Dim(images, 3) <= 4;
}

StemSize sizeOf(TF_Tensor* images, int64_t K) {
  return {TF_Dim(images, 1), TF_Dim(images, 2), TF_Dim(images, 3), K};
}

/** Reads images and kernel, unless they fail a demand. */
bool readInput(Run& run, Input& input) {
  TF_Tensor *images = run.input(0), *kernel = run.input(1);
  if (!run.demand(isImages(images), BAD_IMAGES)) return false;
  const int64_t K = TF_NumDims(kernel) == 4 ? TF_Dim(kernel, 3) : 0;
  const bool isKernel = K > 0 && K % CHANNELS == 0 && hasShape(kernel, {7, 7, TF_Dim(images, 3), K});
  if (!run.demand(isKernel, BAD_KERNEL)) return false;
  input = {numbers(images), numbers(kernel), TF_Dim(images, 0), sizeOf(images, K)};
  return true;
}

/** Reads vectors [K], unless one fails the demand. */
bool readVectors(Run& run, std::initializer_list<int> inputs, int64_t K, const float** vectors) {
  for (int index : inputs) {
    TF_Tensor* tensor = run.input(index);
    if (!run.demand(isVector(tensor, K), BAD_VECTORS)) return false;
    *vectors++ = numbers(tensor);
  }
  return true;
}

void stemFused(Run& run) {
  Input input;
  const float* bias;
  if (!readInput(run, input) || !readVectors(run, {2}, input.size.K, &bias)) return;
  const StemSize size = input.size;
  float* y = run.output(0, {input.B, size.pooledH(), size.pooledW(), size.K});
  if (!y) return;
  const Stem& with = FOR_THIS_PROCESSOR(stem);
  const Normalisation& normalisation = FOR_THIS_PROCESSOR(normalisation);
  const std::vector<float> ones(size.K, 1.0f);
  const long cells = size.pooledH() * size.pooledW();
  convolveEach(
      input, [&](long) { return unpooled.ofSize(size.maps()); },
      [&](long image, long, const float* maps) {
        float* own = y + image * size.pooled();
        with.pool(maps, ones.data(), own, size);
        normalisation.apply({own, cells, size.K}, {0, cells}, {ones.data(), bias, nullptr, true}, own);
      });
}

void stemNormalised(Run& run) {
  Input input;
  const float* v[4];
  if (!readInput(run, input) || !readVectors(run, {2, 3, 4, 5}, input.size.K, v)) return;
  if (!run.demand(input.B > 0, BAD_IMAGES)) return;
  const StemSize size = input.size;
  const std::vector<int64_t> pooled = {input.B, size.pooledH(), size.pooledW(), size.K}, vector = {size.K};
  float *y = run.output(0, pooled), *maxima = run.output(1, pooled),
        *x = run.output(2, {input.B, size.h(), size.w(), size.K});
  const NormResults results = {run.output(3, vector), run.output(4, vector), run.output(5, vector),
                               run.output(6, vector)};
  if (!run.isFine()) return;
  normaliseStem(input, {v[0], v[1], v[2], v[3]}, run.attribute(0), run.attribute(1), y, maxima, x, results);
}

void differentiateNorm(Run& run) {
  TF_Tensor *dy = run.input(0), *y = run.input(1), *maxima = run.input(2);
  const bool isPooled = TF_NumDims(y) == 4 && isSameShape(dy, y) && isSameShape(maxima, y) &&
                        TF_Dim(y, 3) % CHANNELS == 0 && TF_TensorElementCount(y) > 0;
  if (!run.demand(isPooled, BAD_MAPS)) return;
  const int64_t K = TF_Dim(y, 3);
  const float* v[2];
  if (!readVectors(run, {3, 4}, K, v)) return;
  float *dWeight = run.output(0, {K}), *dBias = run.output(1, {K});
  if (!run.isFine()) return;
  const Batch batch = {numbers(maxima), TF_TensorElementCount(y) / K, K};
  sumGradient(batch, v[0], v[1], {numbers(dy), numbers(y), nullptr}, dWeight, dBias);
}

void differentiateKernel(Run& run) {
  TF_Tensor *images = run.input(0), *x = run.input(1);
  if (!run.demand(isImages(images) && TF_Dim(images, 0) > 0, BAD_IMAGES)) return;
  const int64_t B = TF_Dim(images, 0), K = TF_NumDims(x) == 4 ? TF_Dim(x, 3) : 0;
  const StemSize size = sizeOf(images, K);
  if (!run.demand(K > 0 && K % CHANNELS == 0 && hasShape(x, {B, size.h(), size.w(), K}), BAD_MAPS)) return;
  const float* pooled[3];
  for (int index = 0; index < 3; index++) {
    TF_Tensor* maps = run.input(2 + index);
    if (!run.demand(hasShape(maps, {B, size.pooledH(), size.pooledW(), K}), BAD_MAPS)) return;
    pooled[index] = numbers(maps);
  }
  const float* v[5];
  if (!readVectors(run, {5, 6, 7, 8, 9}, K, v)) return;
  float* dKernel = run.output(0, {7, 7, size.C, K});
  if (!dKernel) return;
  const NormGradient own = normGradient(v[0], v[1], v[2], v[3], v[4], B * size.h() * size.w(), K);
  const StemGradient gradient = {numbers(x),        pooled[0],        pooled[1],        pooled[2],
                                 own.factor.data(), own.slope.data(), own.offset.data()};
  kernelGradient(numbers(images), B, size, gradient, dKernel);
}

void inferStem(TF_ShapeInferenceContext* context, TF_Status* status) {
  for (int pooled : {0, 1}) setShape(context, status, pooled, {}, {{0, 0, 1}, {0, 1, 3, 2}, {1, 3, 4}});
  setShape(context, status, 2, {}, {{0, 0, 1}, {0, 1, 3, 1}, {1, 3, 4}});
  for (int vector = 3; vector <= 6; vector++) setShape(context, status, vector, {}, {{1, 3, 4}});
}

void inferFused(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {}, {{0, 0, 1}, {0, 1, 3, 2}, {1, 3, 4}});
}

void inferNormGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  for (int vector : {0, 1}) setShape(context, status, vector, {}, {{3, 0, 1}});
}

void inferKernelGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {7, 7}, {{0, 3, 4}, {1, 3, 4}});
}

}  // namespace

/** Computes y[B,⌈H/4⌉,⌈W/4⌉,K] from images[B,H,W,C] and kernel[7,7,C,K], and what the gradients need. */
const Operation STEM = {"Stem",
                        {"images", "kernel", "weight", "bias", "running_mean", "running_variance"},
                        {"y", "maxima", "x", "new_mean", "new_variance", "mean", "scale"},
                        {"epsilon: float", "momentum: float"},
                        stemNormalised,
                        inferStem};

/** Computes the same where the normalisation is part of the kernel and the bias[K]. */
const Operation STEM_FUSED = {"StemFused", {"images", "kernel", "bias"}, {"y"}, {}, stemFused, inferFused};

/** Computes the gradients of weight and bias. */
const Operation STEM_NORM_GRADIENT = {"StemNormGradient",     {"dy", "y", "maxima", "mean", "scale"},
                                      {"d_weight", "d_bias"}, {},
                                      differentiateNorm,      inferNormGradient};

/** Computes the gradient of the kernel. */
const Operation STEM_KERNEL_GRADIENT = {
    "StemKernelGradient",
    {"images", "x", "maxima", "dy", "y", "weight", "mean", "scale", "d_weight", "d_bias"},
    {"d_kernel"},
    {},
    differentiateKernel,
    inferKernelGradient};
