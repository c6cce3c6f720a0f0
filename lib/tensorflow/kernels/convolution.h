// 3×3 convolution with stride 1 and padding 1, and its gradients, on all threads. Shapes as in winograd.h.
#pragma once

#include "vectors/winograd.h"

/** Computes y = x ∗ kernel with an epilogue; dx from dy where `flipped`, which exchanges C and K. */
void convolve3x3(const float* x, const float* kernel, float* y, Maps maps, long C, long K, bool flipped,
                 Epilogue epilogue);

/** Computes dKernel from x and dy. */
void convolve3x3KernelGradient(const float* x, const float* dy, float* dKernel, Maps maps, long C, long K);
