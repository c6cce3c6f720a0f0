#include "statistics.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"
#include "processor.h"

namespace {

/** A channel whose reference is this many deviations from its mean is added up again, squared. */
constexpr double FAR = 10 * 10;

}  // namespace

bool isTooFar(Sums& sums, long rows, std::vector<float>& reference, Statistics& statistics) {
  const size_t C = reference.size();
  statistics.mean.resize(C);
  statistics.variance.resize(C);
  bool isFar = false;
  for (size_t c = 0; c < C; c++) {
    const double shift = sums.total(0, c) / rows, square = shift * shift;
    statistics.mean[c] = reference[c] + shift;
    statistics.variance[c] = std::max(sums.total(1, c) / rows - square, 0.0);
    if (square <= FAR * statistics.variance[c] || !std::isfinite(square)) continue;
    reference[c] = static_cast<float>(statistics.mean[c]);
    isFar = true;
  }
  return isFar;
}

Statistics statisticsOf(Batch batch, std::vector<float> reference) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long rows = batch.rows, parts = partsFor(rows, ROWS_WORTH_A_THREAD);
  Statistics statistics;
  for (bool isAgain = false;; isAgain = true) {
    Sums sums(parts, batch.C);
    inParallel(parts, [&](long part) {
      with.sumUp(batch, rangeOf(rows, part, parts), reference.data(), sums.of(0, part), sums.of(1, part));
    });
    if (!isTooFar(sums, rows, reference, statistics) || isAgain) return statistics;
  }
}

Fold foldStatistics(const Statistics& statistics, long rows, NormTensors norm, float epsilon, float momentum,
                    NormResults results) {
  const size_t C = statistics.mean.size();
  Fold fold = {std::vector<float>(C), std::vector<float>(C)};
  for (size_t c = 0; c < C; c++) {
    const double mean = statistics.mean[c], variance = statistics.variance[c];
    const double unbiased = variance * rows / std::max(rows - 1, 1L);
    const double scale = 1 / std::sqrt(variance + epsilon);
    results.mean[c] = static_cast<float>(mean);
    results.scale[c] = static_cast<float>(scale);
    results.runningMean[c] = static_cast<float>((1 - momentum) * norm.runningMean[c] + momentum * mean);
    results.runningVariance[c] =
        static_cast<float>((1 - momentum) * norm.runningVariance[c] + momentum * unbiased);
    fold.factor[c] = static_cast<float>(norm.weight[c] * scale);
    fold.offset[c] = static_cast<float>(norm.bias[c] - mean * norm.weight[c] * scale);
  }
  return fold;
}

void sumGradient(Batch batch, const float* mean, const float* scale, Gradient gradient, float* dWeight,
                 float* dBias) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long rows = batch.rows, parts = partsFor(rows, ROWS_WORTH_A_THREAD);
  Sums sums(parts, batch.C);
  inParallel(parts, [&](long part) {
    with.sumUpGradient(batch, rangeOf(rows, part, parts), mean, gradient, sums.of(0, part), sums.of(1, part));
  });
  for (long c = 0; c < batch.C; c++) {
    dBias[c] = static_cast<float>(sums.total(0, c));
    dWeight[c] = static_cast<float>(sums.total(1, c) * scale[c]);
  }
}

NormGradient normGradient(const float* weight, const float* mean, const float* scale, const float* dWeight,
                          const float* dBias, long rows, long C) {
  NormGradient gradient = {std::vector<float>(C), std::vector<float>(C), std::vector<float>(C)};
  for (long c = 0; c < C; c++) {
    // dx = weight · scale · (g − mean of g − (x − mean) · scale² · mean of g · (x − mean))
    const double whole = double(weight[c]) * scale[c], tilt = -whole * scale[c] * dWeight[c] / rows;
    gradient.factor[c] = static_cast<float>(whole);
    gradient.slope[c] = static_cast<float>(tilt);
    gradient.offset[c] = static_cast<float>(-whole * dBias[c] / rows - tilt * mean[c]);
  }
  return gradient;
}
