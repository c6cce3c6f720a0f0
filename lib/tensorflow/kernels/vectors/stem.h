// The stem of a residual network: a 7×7 convolution with stride 2 and padding 3, and 3×3 max-pooling with
// stride 2 and padding 1, one image at a time.
//
// Images are [H,W,C], C at most 4, the convolution's maps x [h,w,K], pooled maps [⌈h/2⌉,⌈w/2⌉,K], and the
// kernel is [7,7,C,K], K a multiple of 16. Its minimal filtering takes tiles of 4×4 outputs; transformed
// kernels U are [49][4C][K].
#pragma once

#include "../range.h"

/** Sizes of an image and its maps. */
struct StemSize {
  long H, W, C, K;

  constexpr long h() const { return (H + 1) / 2; }
  constexpr long w() const { return (W + 1) / 2; }
  constexpr long pooledH() const { return (h() + 1) / 2; }
  constexpr long pooledW() const { return (w() + 1) / 2; }
  constexpr long image() const { return H * W * C; }
  constexpr long maps() const { return h() * w() * K; }
  constexpr long pooled() const { return pooledH() * pooledW() * K; }
  constexpr long down() const { return (h() + 3) / 4; }
  constexpr long across() const { return (w() + 3) / 4; }
};

constexpr long STEM_POSITIONS = 49;

/** Channels of an image's even and odd parts, 4C, with padding. */
constexpr long STEM_PART = 16;

/** Length of U and of dU. */
constexpr long stemKernelSize(long C, long K) { return STEM_POSITIONS * 4 * C * K; }

/** Gradient of the convolution's maps: factor · g + slope · x + offset, where g is the maxima's. */
struct StemGradient {
  const float *x, *maxima;               // [h,w,K] and pooled
  const float *dy, *y;                   // pooled; g = dy where y > 0
  const float *factor, *slope, *offset;  // [K]
};

/** The steps, compiled for one kind of processor. */
struct Stem {
  void (*transformKernel)(const float* kernel, float* u, long C, long K);

  /** Computes the gradient of the kernel from the sum of `parts` dU. */
  void (*collectKernel)(const float* du, long parts, float* dKernel, long C, long K);

  /** Convolves an image. */
  void (*convolve)(const float* image, const float* u, float* x, StemSize size, float* scratch);

  /** Finds the first maximum of x in each window, its minimum in channels of negative weight [K]. */
  void (*pool)(const float* x, const float* weight, float* maxima, StemSize size);

  /** Adds an image's share to dU. */
  void (*correlate)(const float* image, StemGradient gradient, float* du, StemSize size, float* scratch);
};

extern const Stem stemBaseline, stemAvx2, stemAvx512;

/** Tiles that are transformed and multiplied at a time. */
constexpr long STEM_BLOCK = 16;

/** Length of `scratch`. */
constexpr long stemScratchSize(StemSize size) {
  const long parts = (4 * size.down() + 3) * (4 * size.across() + 3) * STEM_PART;
  return parts + STEM_POSITIONS * (stride(STEM_BLOCK, STEM_PART) + stride(STEM_BLOCK, size.K)) + size.maps();
}
