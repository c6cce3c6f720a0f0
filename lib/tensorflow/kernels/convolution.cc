// 3×3 convolution with stride 1 and padding 1, and its gradients, on all threads. Shapes as in winograd.h.
#include <algorithm>

#include "buffer.h"
#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "vectors/winograd.h"

namespace {

thread_local Buffer transformed, scratch;

constexpr long TILES_WORTH_A_THREAD = 16;

/** Computes y = x ∗ kernel with an epilogue; dx from dy where `flipped`, which exchanges C and K. */
void convolve3x3(const float* x, const float* kernel, float* y, Maps maps, long C, long K, bool flipped,
                 Epilogue epilogue) {
  const Winograd& with = FOR_THIS_PROCESSOR(winograd);
  float* u = transformed.ofSize(POSITIONS * stride(C, K));
  if (flipped) {
    float* own = scratch.ofSize(9 * C * K);
    with.flipKernel(kernel, own, K, C);  // from [3,3,K,C]
    kernel = own;
  }
  with.transformKernel(kernel, u, C, K);
  const long tiles = maps.tiles(), parts = partsFor(tiles, TILES_WORTH_A_THREAD);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(scratchSize(C, K));
    with.convolve(x, u, y, maps, C, K, rangeOf(tiles, part, parts), epilogue, own);
  });
}

/** Computes dKernel from x and dy. */
void convolve3x3KernelGradient(const float* x, const float* dy, float* dKernel, Maps maps, long C, long K) {
  const Winograd& with = FOR_THIS_PROCESSOR(winograd);
  const long tiles = maps.tiles(), parts = partsFor(tiles, TILES_WORTH_A_THREAD),
             size = POSITIONS * stride(C, K);
  if (tiles == 0) return (void)std::fill_n(dKernel, 9 * C * K, 0.0f);
  float* du = transformed.ofSize(parts * size);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(scratchSize(C, K));
    with.correlate(x, dy, du + part * size, maps, C, K, rangeOf(tiles, part, parts), own);
  });
  with.collectKernel(du, parts, dKernel, C, K);
}

// ── operations ──

bool isMaps(TF_Tensor* maps, int64_t channels) {
  return TF_NumDims(maps) == 4 && TF_Dim(maps, 3) == channels;
}

Maps sizeOf(TF_Tensor* maps) { return {TF_Dim(maps, 0), TF_Dim(maps, 1), TF_Dim(maps, 2)}; }

bool isSameSize(TF_Tensor* one, TF_Tensor* other) {
  return TF_NumDims(one) == 4 && TF_NumDims(other) == 4 && TF_Dim(one, 0) == TF_Dim(other, 0) &&
         TF_Dim(one, 1) == TF_Dim(other, 1) && TF_Dim(one, 2) == TF_Dim(other, 2);
}

bool isKernel(TF_Tensor* kernel) {
  return TF_NumDims(kernel) == 4 && TF_Dim(kernel, 0) == 3 && TF_Dim(kernel, 1) == 3 &&
         TF_Dim(kernel, 2) % CHANNELS == 0 && TF_Dim(kernel, 3) % CHANNELS == 0;
}

constexpr const char* BAD_KERNEL = "the kernel must be [3,3,C,K], with multiples of 16 for C and K";
constexpr const char* BAD_MAPS = "the maps must be [B,H,W,channels], with as many channels as the kernel has";

/** Convolves maps by a kernel, or by the flipped kernel for the input's gradient. */
void convolve(Run& run, TF_Tensor* maps, TF_Tensor* kernel, bool flipped, Epilogue epilogue) {
  if (!run.demand(isKernel(kernel), BAD_KERNEL)) return;
  const int64_t from = TF_Dim(kernel, flipped ? 3 : 2), to = TF_Dim(kernel, flipped ? 2 : 3);
  if (!run.demand(isMaps(maps, from), BAD_MAPS)) return;
  const Maps size = sizeOf(maps);
  float* result = run.output(0, {size.B, size.H, size.W, to});
  if (result) convolve3x3(numbers(maps), numbers(kernel), result, size, from, to, flipped, epilogue);
}

void convolvePlain(Run& run) { convolve(run, run.input(0), run.input(1), false, {}); }

void differentiateInput(Run& run) { convolve(run, run.input(0), run.input(1), true, {}); }

void convolveFused(Run& run) {
  TF_Tensor *x = run.input(0), *kernel = run.input(1), *bias = run.input(2), *shortcut = run.input(3);
  if (!run.demand(isKernel(kernel), BAD_KERNEL)) return;
  const int64_t K = TF_Dim(kernel, 3);
  const bool isShort = !isVector(shortcut, 0);
  if (!run.demand(isVector(bias, K), "the bias must be [K]")) return;
  if (!run.demand(!isShort || (isMaps(shortcut, K) && isSameSize(x, shortcut)),
                  "the shortcut must be [B,H,W,K]"))
    return;
  const bool relu = run.attribute(0) != 0;
  convolve(run, x, kernel, false, {numbers(bias), isShort ? numbers(shortcut) : nullptr, relu});
}

void differentiateKernel(Run& run) {
  TF_Tensor *x = run.input(0), *dy = run.input(1);
  if (!run.demand(isSameSize(x, dy), "x and dy must be [B,H,W,C] and [B,H,W,K]")) return;
  const int64_t C = TF_Dim(x, 3), K = TF_Dim(dy, 3);
  if (!run.demand(C % CHANNELS == 0 && K % CHANNELS == 0, "C and K must be multiples of 16")) return;
  float* dKernel = run.output(0, {3, 3, C, K});
  if (dKernel) convolve3x3KernelGradient(numbers(x), numbers(dy), dKernel, sizeOf(x), C, K);
}

void inferMaps(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {}, {{0, 0, 3}, {1, 3, 4}});
}

void inferInput(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {}, {{0, 0, 3}, {1, 2, 3}});
}

void inferKernel(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {3, 3}, {{0, 3, 4}, {1, 3, 4}});
}

}  // namespace

/** Computes y[B,H,W,K] from x[B,H,W,C] and kernel[3,3,C,K]. */
const Operation WINOGRAD_3X3 = {"Winograd3x3", {"x", "kernel"}, {"y"}, {}, convolvePlain, inferMaps};

/** Computes relu(y + bias[K] + shortcut[B,H,W,K]); an empty shortcut is omitted. */
const Operation WINOGRAD_3X3_FUSED = {
    "Winograd3x3Fused", {"x", "kernel", "bias", "shortcut"}, {"y"}, {"relu: bool"}, convolveFused, inferMaps};

/** Computes dx[B,H,W,C] from dy[B,H,W,K] and kernel[3,3,C,K]. */
const Operation WINOGRAD_3X3_INPUT_GRADIENT = {"Winograd3x3InputGradient", {"dy", "kernel"}, {"dx"}, {},
                                               differentiateInput,         inferInput};

/** Computes dKernel[3,3,C,K] from x[B,H,W,C] and dy[B,H,W,K]. */
const Operation WINOGRAD_3X3_KERNEL_GRADIENT = {"Winograd3x3KernelGradient", {"x", "dy"}, {"d_kernel"}, {},
                                                differentiateKernel,         inferKernel};
