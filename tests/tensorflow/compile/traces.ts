import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { countGraphs } from "../../../lib/tensorflow/compile/loaded_graph.ts";
import { engineInternals, nativeBackend } from "../../../lib/tensorflow/runtime/binding.ts";

/** All that a recording touches, to compare before and after. */
export function takeTraces() {
  const backend = nativeBackend()!, { binding } = backend, engine = engineInternals();
  return {
    tensors: tf.memory().numTensors,
    bytes: tf.memory().numBytes,
    handles: binding.getNumOfTensors(),
    graphs: countGraphs(),
    scopes: engine.state.scopeStack.length,
    gradientDepth: engine.state.gradientDepth,
    variables: Object.keys(tf.engine().registeredVariables),
    binding,
    backend: Object.keys(backend).sort(),
    engine: Object.keys(engine).sort(),
    random: Math.random,
    gather: tf.getKernel("GatherV2", "tensorflow")?.kernelFunc,
  };
}
