// a page's program that leaves the engine to a test
import { startEngine } from "../../explore/embedded.ts";
import { Engine } from "../../explore/engine.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";

Object.assign(globalThis, {
  Engine,
  engine: await startEngine(),
  countTensors: () => tf.memory().numTensors,
});
