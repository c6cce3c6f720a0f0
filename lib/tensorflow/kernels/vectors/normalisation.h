// Batch normalisation by the batch's own statistics, then relu(y + shortcut), and the gradients. Maps are
// rows of C channels, [rows, C], C a multiple of 16; each function handles a range of rows, and the
// caller combines the sums.
#pragma once

#include "../range.h"

/** A batch to normalise. */
struct Batch {
  const float* x;  // [rows, C]
  long rows, C;
};

/** y = relu(x · factor + offset + shortcut); `factor` and `offset` are [C], `shortcut` [rows, C] or null. */
struct Affine {
  const float *factor, *offset, *shortcut;
  bool relu;
};

/** Gradient g of the sum before ReLU: dy where y > 0. `y` is null without a ReLU, `g` where not needed. */
struct Gradient {
  const float *dy, *y;
  float* g;
};

/** The steps, compiled for one kind of processor. Sums are [C] in double precision. */
struct Normalisation {
  /** Adds up x − reference and its square, `reference` [C]. */
  void (*sumUp)(Batch batch, Range rows, const float* reference, double* sums, double* squares);

  /** Computes y from x. */
  void (*apply)(Batch batch, Range rows, Affine affine, float* y);

  /** Adds up g and g · (x − mean), and writes g. */
  void (*sumUpGradient)(Batch batch, Range rows, const float* mean, Gradient gradient, double* sums,
                        double* products);

  /** Computes dx = factor · g + slope · x + offset, with `factor`, `slope` and `offset` [C]. */
  void (*applyGradient)(Batch batch, Range rows, Gradient gradient, const float* factor, const float* slope,
                        const float* offset, float* dx);
};

extern const Normalisation normalisationBaseline, normalisationAvx2, normalisationAvx512;
