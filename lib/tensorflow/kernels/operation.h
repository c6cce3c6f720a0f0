// Definition of a TensorFlow operation, and a run's view of its tensors. TensorFlow's C
// interface is stable across releases and independent of the C++ library.
#pragma once

#include <tensorflow/c/kernels.h>
#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <initializer_list>
#include <vector>

/** Values of an operation's attributes, by their order in its definition: flags and numbers. */
using Attributes = std::vector<float>;

/** One run of an operation: its tensors, which are freed when it ends, and its status. */
class Run {
 public:
  Run(const Attributes& attributes, TF_OpKernelContext* context);
  ~Run();
  Run(const Run&) = delete;

  TF_Tensor* input(int index);

  /** Allocates an output. */
  float* output(int index, const std::vector<int64_t>& shape);

  /** Allocates an output of a tensor's shape. */
  float* outputLike(int index, TF_Tensor* tensor);

  float attribute(int index) const { return attributes_[index]; }

  /** Fails the run unless `holds`; returns `holds`. */
  bool demand(bool holds, const char* message);

  /** Tells whether the run has not failed, so that its outputs exist. */
  bool isFine() const { return TF_GetCode(status_) == TF_OK; }

 private:
  const Attributes& attributes_;
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

inline const float* numbers(TF_Tensor* tensor) { return static_cast<const float*>(TF_TensorData(tensor)); }

/** Tells whether two tensors have the same shape. */
bool isSameShape(TF_Tensor* one, TF_Tensor* other);

/** Tells whether a tensor has this shape. */
bool hasShape(TF_Tensor* tensor, std::initializer_list<int64_t> shape);

/** Tells whether a tensor is a vector of this length. An empty one stands for an absent input. */
inline bool isVector(TF_Tensor* tensor, int64_t length) { return hasShape(tensor, {length}); }

/** An operation on float32 tensors. */
struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs;
  /** Flags: "name: bool", and numbers: "name: float". */
  std::vector<const char*> attributes;
  void (*run)(Run&);
  /** Infers the outputs' shapes by setShape. */
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
};

/** Some axes of an input, halved as often as this: lengths are rounded up. */
struct Axes {
  int input;
  int64_t first, end;
  int halvings = 0;
};

/** Sets the shape of an output: axes of these lengths, then some of the inputs'. */
void setShape(TF_ShapeInferenceContext* context, TF_Status* status, int output,
              std::initializer_list<int64_t> lengths, std::initializer_list<Axes> axes);

/** Gives an output the shape of an input. */
void setShapeLike(TF_ShapeInferenceContext* context, TF_Status* status, int output, int input);

/** Reads the attributes' values when TensorFlow makes a node of the operation. */
Attributes* readAttributes(const Operation& operation, TF_OpKernelConstruction* construction);

/** Registers an operation with TensorFlow, to be run by these functions on CPUs. */
void registerOperation(const Operation& operation, void* (*create)(TF_OpKernelConstruction*),
                       void (*run)(void*, TF_OpKernelContext*), void (*remove)(void*), TF_Status* status);

/** The same, with functions for this operation: TensorFlow's callbacks do not identify the operation. */
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

// The operations that register.cc registers.
extern const Operation WINOGRAD_3X3, WINOGRAD_3X3_FUSED, WINOGRAD_3X3_INPUT_GRADIENT,
    WINOGRAD_3X3_KERNEL_GRADIENT;
extern const Operation STEM, STEM_FUSED, STEM_NORM_GRADIENT, STEM_KERNEL_GRADIENT;
extern const Operation NORMALISE, NORMALISE_GRADIENT, NORMALISE_SHORTCUT_GRADIENT;
extern const Operation MAP_SCORES, MAP_SCORES_GRADIENT;
extern const Operation NESTEROV_STEP, MUON_STEP;
