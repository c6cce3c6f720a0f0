// A step of Muon for a matrix [n,m], m a multiple of 16 and at most n.
#pragma once

#include "../range.h"

/** A parameter, its gradient and its momentum buffer, and the next parameter and buffer. */
struct MuonTensors {
  const float *parameter, *gradient, *buffer;
  float *nextParameter, *nextBuffer;
};

/** The step, compiled for one kind of processor. */
struct Muon {
  void (*step)(MuonTensors tensors, long n, long m, float momentum, float learningRate, float* scratch);
};

extern const Muon muonBaseline, muonAvx2, muonAvx512;

/** Length of `scratch`. */
constexpr long muonScratchSize(long n, long m) { return n * m + 4 * m * m; }
