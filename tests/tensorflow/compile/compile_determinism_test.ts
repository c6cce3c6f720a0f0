import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { compile } from "../../../lib/tensorflow/compile/compile.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { makeStart, type State, trainStep } from "./small_network.ts";

Deno.test("compiled training gives the same bits in every process", async () => {
  const [one, other] = await Promise.all([train(), train()]);
  assert.deepEqual(one, other);
  assert.equal(one.bits.length, 3 * 3 * 3 * 8 + 128 * 3);
  assert.ok(one.losses.at(-1)! < 0.5 * one.losses[0], "it learns");
});

Deno.test("compiled and eager training agree over many steps", async () => {
  await useNativeTensorFlow();
  const run = (eager: boolean) => {
    const step = compile(trainStep, { eager }), { x, labels, ...start } = makeStart();
    let state: State = start.state;
    for (let count = 0; count < 20; count++) ({ state } = step(state, x, labels, 0.9));
    return state.parameters;
  };
  const compiled = run(false), eager = run(true);
  for (const name of Object.keys(eager)) {
    assert.ok(tf.max(tf.abs(tf.sub(compiled[name], eager[name]))).dataSync()[0] < 1e-5, name);
  }
});

async function train(): Promise<{ losses: number[]; bits: number[] }> {
  const script = fromFileUrl(new URL("print_training.ts", import.meta.url));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", script] })
    .output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
