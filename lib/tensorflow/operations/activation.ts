import * as tf from "../runtime/tf.ts";
import { execute, nativeBackend, typeAttribute } from "../runtime/binding.ts";
import { differentiate } from "./gradient.ts";

const FLOAT = typeAttribute("T", "float32");

const nativeRelu = {
  forward: (x: tf.Tensor) => {
    const value = execute("Relu", [FLOAT], [x]);
    return { value, saved: [value] };
  },
  backward: (dy: tf.Tensor, [y]: tf.Tensor[]) => [execute("ReluGrad", [FLOAT], [dy, y])],
};

/** max(x, 0). On the native backend its gradient is one operation, where TensorFlow.js composes a mask and a product. */
export function relu<T extends tf.Tensor>(x: T): T {
  return nativeBackend() ? differentiate(nativeRelu, [x]) as T : tf.relu(x);
}
