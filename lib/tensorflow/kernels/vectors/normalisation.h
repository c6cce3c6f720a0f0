// Batch normalisation by the batch's own statistics, then relu(y + shortcut), and the gradients. Maps are rows of C channels,
// [rows, C], C a multiple of 16; each function does a range of rows, between which the caller puts sums together.
#pragma once

#include "../range.h"

/** What is normalised. */
struct Batch {
  const float* x;  // [rows, C]
  long rows, C;
};

/** A batch's statistics: [C] each. */
struct Statistics {
  float *mean, *scale;  // `scale` is 1 / √(variance + ε)
};

/** How y comes from x: relu(x · factor + offset + shortcut); `factor` and `offset` are [C], the shortcut [rows, C] or null. */
struct Affine {
  const float *factor, *offset, *shortcut;
  bool relu;
};

/** The gradient of the sum before ReLU, g: dy where y is positive. `y` is null where there is no ReLU, `g` where no one asks for it. */
struct Gradient {
  const float *dy, *y;
  float* g;
};

/** The parts, compiled for one kind of processor. Sums are [C] in double precision. */
struct Normalisation {
  /** Adds x − first and its square up, `first` being the batch's first row: near enough to the mean that no digits are lost. */
  void (*sumUp)(Batch batch, Range rows, double* sums, double* squares);

  /** y of x. */
  void (*apply)(Batch batch, Range rows, Affine affine, float* y);

  /** Adds g and g · (x − mean) up, and writes g. */
  void (*sumUpGradient)(Batch batch, Range rows, const float* mean, Gradient gradient, double* sums,
                        double* products);

  /** dx = factor · g + slope · x + offset, with `factor`, `slope` and `offset` [C]. */
  void (*applyGradient)(Batch batch, Range rows, Gradient gradient, const float* factor, const float* slope,
                        const float* offset, float* dx);
};

extern const Normalisation normalisationBaseline, normalisationAvx2, normalisationAvx512;
