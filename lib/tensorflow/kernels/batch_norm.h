// Batch normalisation as torch.nn.BatchNorm2d trains it, and its gradients, on all threads.
#pragma once

#include "vectors/normalisation.h"

/** The vectors that belong to a normalisation, [C] each. */
struct NormTensors {
  const float *weight, *bias, *runningMean, *runningVariance;
};

/** What a batch leaves: running statistics after it, and its own as the gradient needs them, [C] each. */
struct NormResults {
  float *runningMean, *runningVariance, *mean, *scale;
};

/** y = relu(norm(x) + shortcut); `shortcut` may be null. */
void normalise(Batch batch, NormTensors norm, const float* shortcut, bool relu, float epsilon, float momentum,
               float* y, NormResults results);

/** dx [rows, C], and the gradients of weight and bias, [C] each; and g as in normalisation.h. */
void normaliseGradient(Batch batch, const float* weight, const float* mean, const float* scale,
                       Gradient gradient, float* dx, float* dWeight, float* dBias);
