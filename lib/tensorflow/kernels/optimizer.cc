#include "buffer.h"
#include "operation.h"
#include "processor.h"
#include "vectors/muon.h"

namespace {

/** A parameter, its gradient and its momentum buffer, of one shape, and the learning rate. */
struct Inputs {
  TF_Tensor *parameter, *gradient, *buffer;
  float learningRate;
};

/** Reads the inputs, unless they fail a demand. */
bool readInputs(Run& run, Inputs& inputs) {
  TF_Tensor *parameter = run.input(0), *gradient = run.input(1), *buffer = run.input(2), *rate = run.input(3);
  const bool isSame = isSameShape(parameter, gradient) && isSameShape(parameter, buffer);
  if (!run.demand(isSame, "parameter, gradient and momentum buffer must have one shape")) return false;
  if (!run.demand(TF_NumDims(rate) == 0, "the learning rate must be a scalar")) return false;
  inputs = {parameter, gradient, buffer, *numbers(rate)};
  return true;
}

/** torch.optim.SGD(nesterov=True) with weight decay, element by element. */
void step(Run& run) {
  Inputs inputs;
  if (!readInputs(run, inputs)) return;
  const auto [parameter, gradient, buffer, learningRate] = inputs;
  const float momentum = run.attribute(0), decay = run.attribute(1);
  const float *p = numbers(parameter), *g = numbers(gradient), *v = numbers(buffer);
  float* __restrict newP = run.outputLike(0, parameter), * __restrict newV = run.outputLike(1, parameter);
  if (!run.isFine()) return;
  const int64_t count = TF_TensorElementCount(parameter);
  for (int64_t at = 0; at < count; at++) {
    const float slope = g[at] + decay * p[at];
    const float next = momentum * v[at] + slope;
    newV[at] = next;
    newP[at] = p[at] - learningRate * (slope + momentum * next);
  }
}

thread_local Buffer scratch;

/** A step of Muon for a kernel [h,w,in,out] as a matrix [h · w · in,out]. */
void muonStep(Run& run) {
  Inputs inputs;
  if (!readInputs(run, inputs)) return;
  const auto [parameter, gradient, buffer, learningRate] = inputs;
  const int64_t m = TF_NumDims(parameter) == 4 ? TF_Dim(parameter, 3) : 0;
  const int64_t n = m > 0 ? TF_TensorElementCount(parameter) / m : 0;
  if (!run.demand(m > 0 && m % CHANNELS == 0 && n >= m,
                  "the parameter must be [h,w,in,out], out a multiple of 16"))
    return;
  const MuonTensors tensors = {numbers(parameter), numbers(gradient), numbers(buffer),
                               run.outputLike(0, parameter), run.outputLike(1, parameter)};
  if (!run.isFine()) return;
  float* own = scratch.ofSize(muonScratchSize(n, m));
  FOR_THIS_PROCESSOR(muon).step(tensors, n, m, run.attribute(0), learningRate, own);
}

void infer(TF_ShapeInferenceContext* context, TF_Status* status) {
  for (int output = 0; output < 2; output++) setShapeLike(context, status, output, 0);
}

}  // namespace

const Operation NESTEROV_STEP = {"NesterovStep",
                                 {"parameter", "gradient", "momentum_buffer", "learning_rate"},
                                 {"new_parameter", "new_momentum_buffer"},
                                 {"momentum: float", "weight_decay: float"},
                                 step,
                                 infer};

const Operation MUON_STEP = {"MuonStep",
                             {"parameter", "gradient", "momentum_buffer", "learning_rate"},
                             {"new_parameter", "new_momentum_buffer"},
                             {"momentum: float"},
                             muonStep,
                             infer};
