// Scores of maps by small products of matrices.
#include "map_scores.h"

#include "products.h"

namespace {

INLINE float sumOf(Vector vector) {
  float values[LANES], sum = 0;
  store(values, vector);
  for (int lane = 0; lane < LANES; lane++) sum += values[lane];
  return sum;
}

void score(const float* v, MapScoresWeights weights, MapScoresSize size, float* scores, float* responses,
           float* hidden, float* scratch) {
  const long P = size.P, H = size.H, K = size.K, padded = size.paddedK();
  multiply({v, size.C, 1}, weights.filtersTransposed, scratch, P, padded, size.C, false);
  for (long k = 0; k < K; k++) {
    for (long pixel = 0; pixel < P; pixel++) responses[k * P + pixel] = scratch[pixel * padded + k];
  }
  multiply({responses, P, 1}, weights.hiddenTransposed, hidden, K, H, P, false);
  for (long k = 0; k < K; k++, hidden += H) {
    Vector sum = {};
    for (long h = 0; h < H; h += LANES) {
      const Vector unit = positive(load(hidden + h) + load(weights.hiddenBias + h));
      store(hidden + h, unit);
      sum += unit * load(weights.output + h);
    }
    scores[k] = sumOf(sum) + weights.outputBias;
  }
}

void differentiate(const float* dScores, const float* v, const float* responses, const float* hidden,
                   MapScoresWeights weights, MapScoresSize size, float* dv, MapScoresSums sums,
                   float* scratch) {
  const long P = size.P, C = size.C, H = size.H, K = size.K;
  float *dHidden = scratch, *dResponses = scratch + K * H;
  for (long k = 0; k < K; k++) {
    const float slope = dScores[k];
    for (long h = 0; h < H; h += LANES) {
      const Vector unit = load(hidden + k * H + h);
      const Vector d = unit > 0.0f ? slope * load(weights.output + h) : Vector{};
      store(dHidden + k * H + h, d);
      store(sums.hiddenBias + h, load(sums.hiddenBias + h) + d);
      store(sums.output + h, load(sums.output + h) + slope * unit);
    }
  }
  multiply({dHidden, 1, H}, responses, sums.hidden, H, P, K, true);
  multiply({dHidden, H, 1}, weights.hidden, dResponses, K, P, H, false);
  multiply({dResponses, 1, P}, weights.filters, dv, P, C, K, false);
  multiply({dResponses, P, 1}, v, sums.filters, K, C, P, true);
}

}  // namespace

extern const MapScores FOR_PROCESSOR(mapScores) = {score, differentiate};
