// Scores of maps and their gradients, on all threads: filters give response maps, which a perceptron with one
// hidden layer scores. Shapes as in vectors/map_scores.h.
#include <algorithm>
#include <vector>

#include "buffer.h"
#include "operation.h"
#include "parallel.h"
#include "processor.h"
#include "vectors/map_scores.h"

namespace {

thread_local Buffer scratch, sums;

constexpr long IMAGES_WORTH_A_THREAD = 8;

/** Transposes a matrix [rows, columns] to [columns, stride]. */
std::vector<float> transpose(const float* matrix, long rows, long columns, long stride) {
  std::vector<float> result(columns * stride);
  for (long row = 0; row < rows; row++) {
    for (long column = 0; column < columns; column++) result[column * stride + row] = *matrix++;
  }
  return result;
}

// ── operations ──

constexpr const char* BAD_MAPS = "the maps must be [B,H,W,C], with multiples of 16 for H · W and C";
constexpr const char* BAD_FILTERS = "the filters must be [K,C]";
constexpr const char* BAD_PREDICTOR =
    "the weights must be [units,H · W], [units], [1,units] and [1], units a multiple of 16";
constexpr const char* BAD_GRADIENT = "the gradient and the forward pass's results must have its shapes";

/** Reads the sizes, unless the inputs fail a demand. */
bool readSize(Run& run, TF_Tensor* maps, TF_Tensor* filters, TF_Tensor* hidden, TF_Tensor* output,
              MapScoresSize& size) {
  const bool isMaps = TF_NumDims(maps) == 4;
  const int64_t P = isMaps ? TF_Dim(maps, 1) * TF_Dim(maps, 2) : 0, C = isMaps ? TF_Dim(maps, 3) : 0;
  if (!run.demand(P > 0 && C > 0 && P % CHANNELS == 0 && C % CHANNELS == 0, BAD_MAPS)) return false;
  if (!run.demand(TF_NumDims(filters) == 2 && TF_Dim(filters, 1) == C, BAD_FILTERS)) return false;
  const int64_t H = TF_NumDims(hidden) == 2 ? TF_Dim(hidden, 0) : 0;
  const bool isPredictor = H > 0 && H % CHANNELS == 0 && hasShape(hidden, {H, P}) && hasShape(output, {1, H});
  if (!run.demand(isPredictor, BAD_PREDICTOR)) return false;
  size = {P, C, TF_Dim(filters, 0), H};
  return true;
}

void scoreMaps(Run& run) {
  TF_Tensor *maps = run.input(0), *filters = run.input(1), *hidden = run.input(2), *hiddenBias = run.input(3),
            *output = run.input(4), *outputBias = run.input(5);
  MapScoresSize size;
  if (!readSize(run, maps, filters, hidden, output, size)) return;
  if (!run.demand(isVector(hiddenBias, size.H) && isVector(outputBias, 1), BAD_PREDICTOR)) return;
  const long B = TF_Dim(maps, 0), P = size.P, K = size.K, H = size.H;
  float *scores = run.output(0, {B, K}), *responses = run.output(1, {B, K, P}),
        *units = run.output(2, {B, K, H});
  if (!run.isFine()) return;
  const std::vector<float> filtersTransposed = transpose(numbers(filters), K, size.C, size.paddedK()),
                           hiddenTransposed = transpose(numbers(hidden), H, P, H);
  const MapScoresWeights weights = {numbers(filters),        filtersTransposed.data(), numbers(hidden),
                                    hiddenTransposed.data(), numbers(hiddenBias),      numbers(output),
                                    *numbers(outputBias)};
  const MapScores& with = FOR_THIS_PROCESSOR(mapScores);
  const float* v = numbers(maps);
  const long parts = partsFor(B, IMAGES_WORTH_A_THREAD);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(mapScoresScratchSize(size));
    const Range images = rangeOf(B, part, parts);
    for (long image = images.first; image < images.end; image++) {
      with.score(v + image * P * size.C, weights, size, scores + image * K, responses + image * K * P,
                 units + image * K * H, own);
    }
  });
}

void differentiateScores(Run& run) {
  TF_Tensor *dScores = run.input(0), *maps = run.input(1), *filters = run.input(2), *hidden = run.input(3),
            *output = run.input(4), *responses = run.input(5), *units = run.input(6);
  MapScoresSize size;
  if (!readSize(run, maps, filters, hidden, output, size)) return;
  const long B = TF_Dim(maps, 0), P = size.P, C = size.C, K = size.K, H = size.H;
  const bool isGradient =
      hasShape(dScores, {B, K}) && hasShape(responses, {B, K, P}) && hasShape(units, {B, K, H});
  if (!run.demand(isGradient, BAD_GRADIENT)) return;
  float *dMaps = run.outputLike(0, maps), *dFilters = run.output(1, {K, C}), *dHidden = run.output(2, {H, P}),
        *dHiddenBias = run.output(3, {H}), *dOutput = run.output(4, {1, H}),
        *dOutputBias = run.output(5, {1});
  if (!run.isFine()) return;
  const MapScoresWeights weights = {numbers(filters), nullptr, numbers(hidden), nullptr, nullptr,
                                    numbers(output),  0};
  const MapScores& with = FOR_THIS_PROCESSOR(mapScores);
  const float *d = numbers(dScores), *v = numbers(maps), *r = numbers(responses), *u = numbers(units);
  const long parts = partsFor(B, IMAGES_WORTH_A_THREAD), lengths[] = {K * C, H * P, H, H},
             length = K * C + H * P + 2 * H;
  float* all = sums.ofSize(parts * length);
  inParallel(parts, [&](long part) {
    float *own = scratch.ofSize(mapScoresScratchSize(size)), *sum = all + part * length;
    std::fill_n(sum, length, 0.0f);
    const MapScoresSums to = {sum, sum + K * C, sum + K * C + H * P, sum + K * C + H * P + H};
    const Range images = rangeOf(B, part, parts);
    for (long image = images.first; image < images.end; image++) {
      with.differentiate(d + image * K, v + image * P * C, r + image * K * P, u + image * K * H, weights,
                         size, dMaps + image * P * C, to, own);
    }
  });
  float* results[] = {dFilters, dHidden, dHiddenBias, dOutput};
  const float* from = all;
  for (int result = 0; result < 4; from += lengths[result++]) {
    for (long at = 0; at < lengths[result]; at++) {
      float sum = 0;
      for (long part = 0; part < parts; part++) sum += from[part * length + at];
      results[result][at] = sum;
    }
  }
  double bias = 0;
  for (long at = 0; at < B * K; at++) bias += d[at];
  *dOutputBias = static_cast<float>(bias);
}

void inferScores(TF_ShapeInferenceContext* context, TF_Status* status) {
  setShape(context, status, 0, {}, {{0, 0, 1}, {1, 0, 1}});
  setShape(context, status, 1, {}, {{0, 0, 1}, {1, 0, 1}, {2, 1, 2}});
  setShape(context, status, 2, {}, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}});
}

void inferGradient(TF_ShapeInferenceContext* context, TF_Status* status) {
  for (int output : {0, 1, 2}) setShapeLike(context, status, output, output + 1);
  setShape(context, status, 3, {}, {{3, 0, 1}});
  setShapeLike(context, status, 4, 4);
  setShape(context, status, 5, {1}, {});
}

}  // namespace

/** Computes scores[B,K] of maps[B,H,W,C], the filters' responses[B,K,H·W] and the hidden units[B,K,units]. */
const Operation MAP_SCORES = {
    "MapScores",
    {"maps", "filters", "hidden_weight", "hidden_bias", "output_weight", "output_bias"},
    {"scores", "responses", "hidden"},
    {},
    scoreMaps,
    inferScores};

/** Computes the gradients of all inputs. */
const Operation MAP_SCORES_GRADIENT = {
    "MapScoresGradient",
    {"d_scores", "maps", "filters", "hidden_weight", "output_weight", "responses", "hidden"},
    {"d_maps", "d_filters", "d_hidden_weight", "d_hidden_bias", "d_output_weight", "d_output_bias"},
    {},
    differentiateScores,
    inferGradient};
