// Statistics of a batch for its normalisation.
#pragma once

#include <vector>

#include "vectors/normalisation.h"

/** Parameters and running statistics, [C] each. */
struct NormTensors {
  const float *weight, *bias, *runningMean, *runningVariance;
};

/** Results of a batch: running statistics after it, and its own for the gradient, [C] each. */
struct NormResults {
  float *runningMean, *runningVariance, *mean, *scale;
};

constexpr long ROWS_WORTH_A_THREAD = 512;

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

/** Mean and variance of each channel. */
struct Statistics {
  std::vector<double> mean, variance;
};

/**
 * Computes statistics from the sums of x − reference and its square. Where a channel's reference is so far
 * from its mean that digits are lost, the mean becomes the reference; tells whether there is such a channel.
 */
bool isTooFar(Sums& sums, long rows, std::vector<float>& reference, Statistics& statistics);

/** Computes statistics, adding up again where a channel's reference is too far from its mean. */
Statistics statisticsOf(Batch batch, std::vector<float> reference);

/** y = x · factor + offset, [C] each. */
struct Fold {
  std::vector<float> factor, offset;
};

/** Computes the results of a batch of so many rows, and folds its normalisation. */
Fold foldStatistics(const Statistics& statistics, long rows, NormTensors norm, float epsilon, float momentum,
                    NormResults results);

/** Computes the gradients of weight and bias, [C] each, and g as in normalisation.h. */
void sumGradient(Batch batch, const float* mean, const float* scale, Gradient gradient, float* dWeight,
                 float* dBias);

/** Gradient of normalised values by x: factor · g + slope · x + offset, [C] each. */
struct NormGradient {
  std::vector<float> factor, slope, offset;
};

/** Computes it from the gradients of weight and bias. */
NormGradient normGradient(const float* weight, const float* mean, const float* scale, const float* dWeight,
                          const float* dBias, long rows, long C);
