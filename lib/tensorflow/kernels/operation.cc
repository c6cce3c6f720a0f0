#include "operation.h"

#include <string>

Run::Run(const Attributes& attributes, TF_OpKernelContext* context)
    : attributes_(attributes), context_(context), status_(TF_NewStatus()) {}

Run::~Run() {
  for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
  if (!isFine()) TF_OpKernelContext_Failure(context_, status_);
  TF_DeleteStatus(status_);
}

TF_Tensor* Run::input(int index) {
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status_);
  if (tensor) tensors_.push_back(tensor);
  return tensor;
}

float* Run::output(int index, const std::vector<int64_t>& shape) {
  size_t size = sizeof(float);
  for (int64_t length : shape) size *= length;
  if (!isFine()) return nullptr;
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(),
                                        static_cast<int>(shape.size()), size, status_);
  if (tensor) tensors_.push_back(tensor);
  return isFine() ? static_cast<float*>(TF_TensorData(tensor)) : nullptr;
}

float* Run::outputLike(int index, TF_Tensor* tensor) {
  std::vector<int64_t> shape;
  for (int axis = 0; axis < TF_NumDims(tensor); axis++) shape.push_back(TF_Dim(tensor, axis));
  return output(index, shape);
}

bool Run::demand(bool holds, const char* message) {
  if (!holds) TF_SetStatus(status_, TF_INVALID_ARGUMENT, message);
  return holds;
}

bool isSameShape(TF_Tensor* one, TF_Tensor* other) {
  if (TF_NumDims(one) != TF_NumDims(other)) return false;
  for (int axis = 0; axis < TF_NumDims(one); axis++) {
    if (TF_Dim(one, axis) != TF_Dim(other, axis)) return false;
  }
  return true;
}

bool hasShape(TF_Tensor* tensor, std::initializer_list<int64_t> shape) {
  if (TF_NumDims(tensor) != static_cast<int>(shape.size())) return false;
  int axis = 0;
  for (int64_t length : shape) {
    if (TF_Dim(tensor, axis++) != length) return false;
  }
  return true;
}

void setShape(TF_ShapeInferenceContext* context, TF_Status* status, int output,
              std::initializer_list<int64_t> lengths, std::initializer_list<Axes> axes) {
  TF_ShapeHandle *shape = TF_ShapeInferenceContextScalar(context), *part = TF_NewShapeHandle();
  TF_DimensionHandle* dimension = TF_NewDimensionHandle();
  const auto isFine = [&] { return TF_GetCode(status) == TF_OK; };
  const auto append = [&](int64_t length) {  // −1 if unknown
    TF_ShapeHandle* one = TF_ShapeInferenceContextVectorFromSize(context, length);
    if (isFine()) TF_ShapeInferenceContextConcatenateShapes(context, shape, one, shape, status);
    TF_DeleteShapeHandle(one);
  };
  for (int64_t length : lengths) append(length);
  for (const auto [input, first, end, halvings] : axes) {
    if (isFine()) TF_ShapeInferenceContextGetInput(context, input, part, status);
    if (isFine()) TF_ShapeInferenceContextSubshape(context, part, first, end, part, status);
    if (halvings == 0) {
      if (isFine()) TF_ShapeInferenceContextConcatenateShapes(context, shape, part, shape, status);
      continue;
    }
    for (int64_t axis = 0; axis < end - first && isFine(); axis++) {
      TF_ShapeInferenceContextDim(context, part, axis, dimension);
      int64_t length = TF_DimensionHandleValue(dimension);
      for (int halving = 0; halving < halvings && length > 0; halving++) length = (length + 1) / 2;
      append(length);
    }
  }
  if (isFine()) TF_ShapeInferenceContextSetOutput(context, output, shape, status);
  for (TF_ShapeHandle* handle : {shape, part}) TF_DeleteShapeHandle(handle);
  TF_DeleteDimensionHandle(dimension);
}

void setShapeLike(TF_ShapeInferenceContext* context, TF_Status* status, int output, int input) {
  TF_ShapeHandle* shape = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, input, shape, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output, shape, status);
  TF_DeleteShapeHandle(shape);
}

Attributes* readAttributes(const Operation& operation, TF_OpKernelConstruction* construction) {
  Attributes* values = new Attributes;
  TF_Status* status = TF_NewStatus();
  for (const std::string attribute : operation.attributes) {
    const size_t colon = attribute.find(": ");
    const std::string name = attribute.substr(0, colon);
    if (TF_GetCode(status) != TF_OK) break;
    if (attribute.substr(colon) == ": bool") {
      TF_Bool flag = 0;
      TF_OpKernelConstruction_GetAttrBool(construction, name.c_str(), &flag, status);
      values->push_back(flag);
    } else {
      float number = 0;
      TF_OpKernelConstruction_GetAttrFloat(construction, name.c_str(), &number, status);
      values->push_back(number);
    }
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return values;
}

void registerOperation(const Operation& operation, void* (*create)(TF_OpKernelConstruction*),
                       void (*run)(void*, TF_OpKernelContext*), void (*remove)(void*), TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) return;
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
  for (const std::string name : operation.inputs)
    TF_OpDefinitionBuilderAddInput(definition, (name + ": float").c_str());
  for (const std::string name : operation.outputs)
    TF_OpDefinitionBuilderAddOutput(definition, (name + ": float").c_str());
  for (const char* attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, operation.infer);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) != TF_OK) return;
  TF_RegisterKernelBuilder(operation.name, TF_NewKernelBuilder(operation.name, "CPU", create, run, remove),
                           status);
}
