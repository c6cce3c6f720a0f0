// Prints the bits that twenty compiled steps leave.
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { makeStart, trainStep } from "./small_network.ts";

await useNativeTensorFlow();
const step = compile(trainStep), { x, labels, ...start } = makeStart(), losses: number[] = [];
let { state } = start;
for (let count = 0; count < 20; count++) {
  const result = step(state, x, labels, 0.9);
  state = result.state;
  losses.push((await result.loss.data())[0]);
}
const bits = Object.values(state.parameters).flatMap((tensor) =>
  Array.from(new Uint32Array(tensor.dataSync().slice().buffer))
);
console.log(JSON.stringify({ losses, bits }));
