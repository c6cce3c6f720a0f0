#include "batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.h"
#include "processor.h"

namespace {

constexpr long ROWS_WORTH_A_THREAD = 512;

long partsFor(long rows) { return std::clamp(rows / ROWS_WORTH_A_THREAD, 1L, threads()); }

/** Two sums for each channel, which each part adds up for itself. */
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

}  // namespace

void normalise(Batch batch, NormTensors norm, const float* shortcut, bool relu, float epsilon, float momentum,
               float* y, NormResults results) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const auto [x, rows, C] = batch;
  const long parts = partsFor(rows);
  Sums sums(parts, C);
  inParallel(parts, [&](long part) {
    with.sumUp(batch, share(batch.rows, part, parts), sums.of(0, part), sums.of(1, part));
  });
  std::vector<float> factor(C), offset(C);
  for (long c = 0; c < C; c++) {
    const double shift = sums.total(0, c) / rows, mean = x[c] + shift;  // sums are of x − x[0]
    const double variance = std::max(sums.total(1, c) / rows - shift * shift, 0.0);
    const double unbiased = variance * rows / std::max(rows - 1, 1L);
    const double scale = 1 / std::sqrt(variance + epsilon);
    results.mean[c] = static_cast<float>(mean);
    results.scale[c] = static_cast<float>(scale);
    results.runningMean[c] = static_cast<float>((1 - momentum) * norm.runningMean[c] + momentum * mean);
    results.runningVariance[c] =
        static_cast<float>((1 - momentum) * norm.runningVariance[c] + momentum * unbiased);
    factor[c] = static_cast<float>(norm.weight[c] * scale);
    offset[c] = static_cast<float>(norm.bias[c] - mean * norm.weight[c] * scale);
  }
  const Affine affine = {factor.data(), offset.data(), shortcut, relu};
  inParallel(parts, [&](long part) { with.apply(batch, share(batch.rows, part, parts), affine, y); });
}

void normaliseGradient(Batch batch, const float* weight, const float* mean, const float* scale,
                       Gradient gradient, float* dx, float* dWeight, float* dBias) {
  const Normalisation& with = FOR_THIS_PROCESSOR(normalisation);
  const long C = batch.C, rows = batch.rows, parts = partsFor(rows);
  Sums sums(parts, C);
  inParallel(parts, [&](long part) {
    with.sumUpGradient(batch, share(rows, part, parts), mean, gradient, sums.of(0, part), sums.of(1, part));
  });
  std::vector<float> factor(C), slope(C), offset(C);
  for (long c = 0; c < C; c++) {
    // dx = weight · scale · (g − mean of g − (x − mean) · scale² · mean of g · (x − mean))
    const double sum = sums.total(0, c), product = sums.total(1, c), whole = double(weight[c]) * scale[c];
    const double tilt = -whole * scale[c] * scale[c] * product / rows;
    dBias[c] = static_cast<float>(sum);
    dWeight[c] = static_cast<float>(product * scale[c]);
    factor[c] = static_cast<float>(whole);
    slope[c] = static_cast<float>(tilt);
    offset[c] = static_cast<float>(-whole * sum / rows - tilt * mean[c]);
  }
  inParallel(parts, [&](long part) {
    with.applyGradient(batch, share(rows, part, parts), gradient, factor.data(), slope.data(), offset.data(),
                       dx);
  });
}
