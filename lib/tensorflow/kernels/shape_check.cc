// Tells whether the shapes in a graph depend on values, by TensorFlow's own shape inference.
#include <tensorflow/c/c_api.h>

#include <string>
#include <vector>

namespace {

/** Tells whether an output has a dimension that is not known. Nothing but its rank need be told. */
bool varies(TF_Graph* graph, TF_Output output, TF_Status* status) {
  const int rank = TF_GraphGetTensorNumDims(graph, output, status);
  if (rank <= 0)
    return false;  // −1: its shape function tells nothing, as for FusedBatchNorm's reserved space
  std::vector<int64_t> shape(rank);
  TF_GraphGetTensorShape(graph, output, shape.data(), rank, status);
  for (int64_t length : shape) {
    if (length < 0) return true;
  }
  return false;
}

std::string firstVarying(TF_Graph* graph, TF_Status* status) {
  size_t position = 0;
  while (TF_Operation* operation = TF_GraphNextOperation(graph, &position)) {
    for (int index = 0; index < TF_OperationNumOutputs(operation); index++) {
      if (varies(graph, {operation, index}, status)) return TF_OperationOpType(operation);
    }
  }
  return "";
}

}  // namespace

/**
 * Finds the first operation in a graph with an output of unknown shape: its type, or an empty text. A graph
 * that TensorFlow does not accept has none.
 */
extern "C" const char* findVaryingShape(const void* graphDef, size_t size) {
  static thread_local std::string found;
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_Buffer* buffer = TF_NewBufferFromString(graphDef, size);
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, buffer, options, status);
  found = TF_GetCode(status) == TF_OK ? firstVarying(graph, status) : "";
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(buffer);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return found.c_str();
}
