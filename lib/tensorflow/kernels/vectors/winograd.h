// Winograd's minimal filtering F(4×4, 3×3) on ranges of tiles: functions and memory layout.
//
// Maps are [B,H,W,C] and kernels [3,3,C,K], as in TensorFlow; C and K are multiples of 16. A tile is 4×4
// pixels of the output and takes 6×6 of the input. Transformed values lie position by position,
// V[36][tiles][C] and U[36][C][K], so that the convolution is a product of matrices at each position.
#pragma once

#include "../range.h"

constexpr long POSITIONS = 36, TILE = 4;

/** Maps of one size. */
struct Maps {
  long B, H, W;

  long across() const { return (W + TILE - 1) / TILE; }
  long down() const { return (H + TILE - 1) / TILE; }
  long tiles() const { return B * down() * across(); }
};

/** Epilogue of a convolution: relu(y + bias + shortcut), each null where there is none. */
struct Epilogue {
  const float* bias;      // [K]
  const float* shortcut;  // [B,H,W,K]
  bool relu;
};

/** The algorithm's steps, compiled for one kind of processor. */
struct Winograd {
  /** Computes U[36][C][K] from kernel[3,3,C,K]. */
  void (*transformKernel)(const float* kernel, float* u, long C, long K);

  /** Computes the kernel[3,3,K,C] of the input's gradient: flipped, and channels exchanged. */
  void (*flipKernel)(const float* kernel, float* flipped, long C, long K);

  /** Computes the gradient of kernel[3,3,C,K] from the sum of `parts` dU[36][C][K]. */
  void (*collectKernel)(const float* du, long parts, float* dKernel, long C, long K);

  /** Computes these tiles of y[B,H,W,K] from x[B,H,W,C] and U[36][C][K]. */
  void (*convolve)(const float* x, const float* u, float* y, Maps maps, long C, long K, Range tiles,
                   Epilogue epilogue, float* scratch);

  /** Computes dU[36][C][K] from these tiles of x[B,H,W,C] and dy[B,H,W,K]. */
  void (*correlate)(const float* x, const float* dy, float* du, Maps maps, long C, long K, Range tiles,
                    float* scratch);
};

extern const Winograd winogradBaseline, winogradAvx2, winogradAvx512;

/** Tiles that are transformed and multiplied at a time: as many as fit a core's own cache. */
constexpr long BLOCK = 36;

/** Length of `scratch`. */
constexpr long scratchSize(long C, long K) { return POSITIONS * (stride(BLOCK, C) + stride(BLOCK, K)); }
