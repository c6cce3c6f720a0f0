// Scores of maps: filters give response maps, which a perceptron with one hidden layer scores, one image at
// a time. P pixels, C channels and H hidden units are multiples of 16; K filters are any number.
#pragma once

#include "../range.h"

struct MapScoresSize {
  long P, C, K, H;

  constexpr long paddedK() const { return (K + CHANNELS - 1) / CHANNELS * CHANNELS; }
};

/** Parameters: filters [K,C], hidden weights [H,P] and their transposes, and the output's weights [H]. */
struct MapScoresWeights {
  const float *filters, *filtersTransposed;  // the latter [C,paddedK], in zeros
  const float *hidden, *hiddenTransposed;    // the latter [P,H]
  const float *hiddenBias, *output;
  float outputBias;
};

/** Sums of the parameters' gradients: filters [K,C], hidden weights [H,P], hidden bias and output [H]. */
struct MapScoresSums {
  float *filters, *hidden, *hiddenBias, *output;
};

/** The steps, compiled for one kind of processor. */
struct MapScores {
  /** Computes scores [K], responses [K,P] and hidden units [K,H] of v[P,C]. */
  void (*score)(const float* v, MapScoresWeights weights, MapScoresSize size, float* scores, float* responses,
                float* hidden, float* scratch);

  /** Computes dv[P,C] from the gradient of the scores, and adds to the parameters' sums. */
  void (*differentiate)(const float* dScores, const float* v, const float* responses, const float* hidden,
                        MapScoresWeights weights, MapScoresSize size, float* dv, MapScoresSums sums,
                        float* scratch);
};

extern const MapScores mapScoresBaseline, mapScoresAvx2, mapScoresAvx512;

/** Length of `scratch`. */
constexpr long mapScoresScratchSize(MapScoresSize size) { return (size.P + size.H) * size.paddedK(); }
