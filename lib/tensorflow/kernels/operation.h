// How an operation is written for TensorFlow: its definition, and what a run of it sees. TensorFlow's C interface stays the same from
// release to release and asks for no particular C++ library.
#pragma once

#include <tensorflow/c/kernels.h>
#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <initializer_list>
#include <vector>

/** Values of an operation's attributes, by their order in its definition: flags and numbers. */
using Attributes = std::vector<float>;

/** One run of an operation: its tensors, which are freed when it ends, and what went wrong. */
class Run {
 public:
  Run(const Attributes& attributes, TF_OpKernelContext* context);
  ~Run();
  Run(const Run&) = delete;

  TF_Tensor* input(int index);

  /** The numbers of a new output. */
  float* output(int index, std::initializer_list<int64_t> shape) {
    return output(index, std::vector<int64_t>(shape));
  }
  float* output(int index, const std::vector<int64_t>& shape);

  /** … of a tensor's shape. */
  float* outputLike(int index, TF_Tensor* tensor);

  float attribute(int index) const { return attributes_[index]; }

  /** Refuses the run unless `holds`; returns it. */
  bool demand(bool holds, const char* message);

  /** Whether nothing has gone wrong: outputs are there. */
  bool isFine() const { return TF_GetCode(status_) == TF_OK; }

 private:
  const Attributes& attributes_;
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

inline const float* numbers(TF_Tensor* tensor) { return static_cast<const float*>(TF_TensorData(tensor)); }

/** An operation on float32 tensors. */
struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs;
  /** Flags: "name: bool", and numbers: "name: float". */
  std::vector<const char*> attributes;
  void (*run)(Run&);
  /** Says what shapes the outputs have, by setShape. */
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
};

/** Some axes of an input. */
struct Axes {
  int input;
  int64_t first, end;
};

/** The shape of an output: so many axes of length 3, then some of the inputs'. */
void setShape(TF_ShapeInferenceContext* context, TF_Status* status, int output, int threes,
              std::initializer_list<Axes> axes);

/** The shape of an output: an input's. */
void setShapeLike(TF_ShapeInferenceContext* context, TF_Status* status, int output, int input);

/** Reads the attributes' values when TensorFlow makes a node of the operation. */
Attributes* readAttributes(const Operation& operation, TF_OpKernelConstruction* construction);

/** Makes an operation known to TensorFlow, to be run by these functions on CPUs. */
void registerOperation(const Operation& operation, void* (*create)(TF_OpKernelConstruction*),
                       void (*run)(void*, TF_OpKernelContext*), void (*remove)(void*), TF_Status* status);

/** The same, with functions for this operation: TensorFlow's callbacks do not say whose they are. */
template <const Operation& operation>
void registerOperation(TF_Status* status) {
  registerOperation(
      operation,
      [](TF_OpKernelConstruction* construction) -> void* { return readAttributes(operation, construction); },
      [](void* attributes, TF_OpKernelContext* context) {
        Run run(*static_cast<Attributes*>(attributes), context);
        operation.run(run);
      },
      [](void* attributes) { delete static_cast<Attributes*>(attributes); }, status);
}
