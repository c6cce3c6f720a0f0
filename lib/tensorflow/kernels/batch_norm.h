// Batch normalisation as torch.nn.BatchNorm2d trains it, and its gradients, on all threads.
#pragma once

#include "vectors/normalisation.h"

/** Parameters and running statistics, [C] each. */
struct NormTensors {
  const float *weight, *bias, *runningMean, *runningVariance;
};

/** Results of a batch: running statistics after it, and its own for the gradient, [C] each. */
struct NormResults {
  float *runningMean, *runningVariance, *mean, *scale;
};

/** Computes y = relu(norm(x) + shortcut); `shortcut` may be null. */
void normalise(Batch batch, NormTensors norm, const float* shortcut, bool relu, float epsilon, float momentum,
               float* y, NormResults results);

/** Computes dx [rows, C], the gradients of weight and bias, [C] each, and g as in normalisation.h. */
void normaliseGradient(Batch batch, const float* weight, const float* mean, const float* scale,
                       Gradient gradient, float* dx, float* dWeight, float* dBias);
