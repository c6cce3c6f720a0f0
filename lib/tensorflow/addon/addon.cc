// The npm package's addon, and functions of our own that run a graph on its tensors: the graph comes from memory
// with options of its session, and its inputs and outputs are found once, not by their names in each call.
#include <node_api.h>
#include <tensorflow/c/c_api.h>
#include <tensorflow/c/eager/c_api.h>
#include <tensorflow/core/platform/ctstring_internal.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#undef NAPI_MODULE
#define NAPI_MODULE(name, initialise)  // below, with more functions
#define private public                 // for the backend's table of tensors
#include "tfjs_backend.cc"
#include "tfjs_binding.cc"
#undef private

namespace tfnodejs {

/** A way to run a graph: the inputs that it is fed, and the outputs that are fetched. */
struct Call {
  TF_Session* session;
  std::vector<TF_Output> feeds, fetches;
};

/** A graph that TensorFlow has loaded. */
struct LoadedGraph {
  TF_Graph* graph;
  TF_Session* session;
  std::vector<std::unique_ptr<Call>> calls;
};

/** Throws TensorFlow's message as a JavaScript error if there is one; returns whether there is none. */
static bool isFine(napi_env env, const TF_AutoStatus& status) {
  if (TF_GetCode(status.status) == TF_OK) return true;
  napi_throw_error(env, nullptr, TF_Message(status.status));
  return false;
}

template <size_t count>
struct Arguments {
  napi_value values[count];

  Arguments(napi_env env, napi_callback_info info) {
    size_t given = count;
    napi_get_cb_info(env, info, &given, values, nullptr, nullptr);
  }
};

template <typename T>
static T* pointerOf(napi_env env, napi_value value) {
  void* pointer = nullptr;
  napi_get_value_external(env, value, &pointer);
  return static_cast<T*>(pointer);
}

/** Elements of a typed array. */
template <typename T>
static std::pair<T*, size_t> elementsOf(napi_env env, napi_value array) {
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, array, nullptr, &length, &data, nullptr, nullptr);
  return {static_cast<T*>(data), length};
}

static napi_value wrap(napi_env env, void* pointer) {
  napi_value external;
  napi_create_external(env, pointer, nullptr, nullptr, &external);
  return external;
}

/** openGraph(GraphDef, ConfigProto): loads a graph. */
static napi_value OpenGraph(napi_env env, napi_callback_info info) {
  const Arguments<2> given(env, info);
  const auto [definition, size] = elementsOf<uint8_t>(env, given.values[0]);
  const auto [config, configSize] = elementsOf<uint8_t>(env, given.values[1]);
  TF_AutoStatus status;
  TF_Graph* graph = TF_NewGraph();
  TF_Buffer* buffer = TF_NewBufferFromString(definition, size);
  TF_ImportGraphDefOptions* imports = TF_NewImportGraphDefOptions();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session = nullptr;
  TF_GraphImportGraphDef(graph, buffer, imports, status.status);
  if (TF_GetCode(status.status) == TF_OK) TF_SetConfig(options, config, configSize, status.status);
  if (TF_GetCode(status.status) == TF_OK) session = TF_NewSession(graph, options, status.status);
  TF_DeleteSessionOptions(options);
  TF_DeleteImportGraphDefOptions(imports);
  TF_DeleteBuffer(buffer);
  if (isFine(env, status)) return wrap(env, new LoadedGraph{graph, session, {}});
  TF_DeleteGraph(graph);
  return nullptr;
}

/** Finds outputs by their names: "node:index", separated by commas. */
static std::vector<TF_Output> findOutputs(napi_env env, TF_Graph* graph, napi_value names) {
  std::string text;
  GetStringParam(env, names, text);
  std::istringstream list(text);
  std::vector<TF_Output> outputs;
  for (std::string name; std::getline(list, name, ',');) {
    const size_t colon = name.find(':');
    TF_Operation* operation = TF_GraphOperationByName(graph, name.substr(0, colon).c_str());
    if (operation) {
      outputs.push_back({operation, std::atoi(name.c_str() + colon + 1)});
    } else {
      napi_throw_error(env, nullptr, ("the graph has no output " + name).c_str());
    }
  }
  return outputs;
}

/** prepareCall(graph, feeds, fetches): a way to run a graph, which is freed with it. */
static napi_value PrepareCall(napi_env env, napi_callback_info info) {
  const Arguments<3> given(env, info);
  LoadedGraph* loaded = pointerOf<LoadedGraph>(env, given.values[0]);
  loaded->calls.emplace_back(new Call{loaded->session, findOutputs(env, loaded->graph, given.values[1]),
                                      findOutputs(env, loaded->graph, given.values[2])});
  return wrap(env, loaded->calls.back().get());
}

/** runCall(call, handles): runs on the tensors of the first handles, one a feed; writes the results' after them. */
static napi_value RunCall(napi_env env, napi_callback_info info) {
  const Arguments<2> given(env, info);
  const Call& call = *pointerOf<Call>(env, given.values[0]);
  int32_t* handles = elementsOf<int32_t>(env, given.values[1]).first;
  TFJSBackend& backend = *GetTFJSBackend(env);
  TF_AutoStatus status;
  std::vector<TF_Tensor*> inputs, outputs(call.fetches.size());
  for (size_t at = 0; at < call.feeds.size() && TF_GetCode(status.status) == TF_OK; at++) {
    const auto found = backend.tfe_handle_map_.find(handles[at]);
    if (found == backend.tfe_handle_map_.end()) {
      TF_SetStatus(status.status, TF_INVALID_ARGUMENT, "an input was disposed");
    } else {
      inputs.push_back(TFE_TensorHandleResolve(found->second, status.status));
    }
  }
  if (TF_GetCode(status.status) == TF_OK) {
    TF_SessionRun(call.session, nullptr, call.feeds.data(), inputs.data(), inputs.size(), call.fetches.data(),
                  outputs.data(), outputs.size(), nullptr, 0, nullptr, status.status);
  }
  for (TF_Tensor* input : inputs) TF_DeleteTensor(input);
  if (!isFine(env, status)) return nullptr;
  for (size_t at = 0; at < outputs.size(); at++) {
    handles[call.feeds.size() + at] = backend.InsertHandle(TFE_NewTensorHandle(outputs[at], status.status));
    TF_DeleteTensor(outputs[at]);
  }
  return nullptr;
}

/** closeGraph(graph): frees a graph and its calls. */
static napi_value CloseGraph(napi_env env, napi_callback_info info) {
  const std::unique_ptr<LoadedGraph> loaded(pointerOf<LoadedGraph>(env, Arguments<1>(env, info).values[0]));
  TF_AutoStatus status;
  TF_DeleteSession(loaded->session, status.status);
  TF_DeleteGraph(loaded->graph);
  isFine(env, status);
  return nullptr;
}

}  // namespace tfnodejs

NAPI_MODULE_INIT() {
  using namespace tfnodejs;
  const auto method = [](const char* name, napi_callback call) -> napi_property_descriptor {
    return {name, nullptr, call, nullptr, nullptr, nullptr, napi_default, nullptr};
  };
  const napi_property_descriptor own[] = {method("openGraph", OpenGraph), method("prepareCall", PrepareCall),
                                          method("runCall", RunCall), method("closeGraph", CloseGraph)};
  exports = InitTFNodeJSBinding(env, exports);
  if (exports) napi_define_properties(env, exports, sizeof own / sizeof *own, own);
  return exports;
}
