import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { parseSafetensors, type Safetensors } from "../../lib/support/safetensors.ts";
import { fromPyTorch, type StateDict, toPyTorch } from "../../lib/model/state_dict.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";

const FOLDER = fromFileUrl(new URL("../testdata/", import.meta.url));

/** Reads PyTorch's results: `tests/testdata/<name>.safetensors` (described in its README). */
export function readOracle(name: string): Safetensors & { oracle: Record<string, unknown> } {
  const file = parseSafetensors(Deno.readFileSync(join(FOLDER, `${name}.safetensors`)), name);
  return { ...file, oracle: JSON.parse(file.metadata.oracle) };
}

/** The values of a stored tensor. */
export function values(file: Safetensors, name: string): Float32Array {
  const stored = file.tensors.get(name);
  assert(stored, `the oracle has no ${name}`);
  return stored.data as Float32Array;
}

/** The state dict a case starts from. */
export function initialState({ variant, adapter }: Pick<NetworkSpec, "variant" | "adapter">): StateDict {
  const names = [
    "backbone",
    variant.replaceAll("-", "_"),
    ...(adapter === "none" ? [] : [`adapter_${adapter}`]),
  ];
  const tensors: StateDict = {};
  for (const name of names) {
    for (const [key, stored] of readOracle(`initial_${name}`).tensors) tensors[key] = fromPyTorch(stored);
  }
  return tensors;
}

/** The batch of all cases. */
export function oracleBatch(): { images: tf.Tensor4D; labels: tf.Tensor1D } {
  const { tensors } = readOracle("batch");
  const [images, labels] = [tensors.get("images")!, tensors.get("labels")!];
  return {
    images: tf.tensor4d(images.data as Float32Array, images.shape as [number, number, number, number]),
    labels: tf.tensor1d(labels.data as Int32Array, "int32"),
  };
}

const STRIDE = 17; // how large tensors are thinned out in the oracles

/**
 * Asserts that a tensor equals the oracle's, relative to the largest value: whole ones value by value; of
 * large ones every 17th value, and the norm of all.
 *
 * @param prefix `gradient`, `after`, …: the oracle's entry is `<prefix>.<name>`.
 */
export async function assertMatches(
  actual: tf.Tensor,
  oracle: Safetensors,
  prefix: string,
  name: string,
  tolerance: number,
): Promise<void> {
  const { all, compared, expected } = await readBoth(actual, oracle, prefix, name);
  assertClose(compared, expected, tolerance, `${prefix}.${name}`);
  const norm = oracle.tensors.get(`${prefix}_norm.${name}`);
  if (norm) {
    assertClose([Math.hypot(...all)], norm.data as Float32Array, tolerance, `norm of ${prefix}.${name}`);
  }
}

/**
 * Like {@linkcode assertMatches}, but only the length of the difference counts, relative to that of the
 * expected values.
 */
export async function assertNear(
  actual: tf.Tensor,
  oracle: Safetensors,
  prefix: string,
  name: string,
  tolerance: number,
): Promise<void> {
  const { compared, expected } = await readBoth(actual, oracle, prefix, name);
  const off = Math.hypot(...expected.map((value, index) => value - compared[index]));
  const length = Math.hypot(...expected);
  assert(off <= tolerance * length + ROUNDING, `${prefix}.${name} is off by ${off}, its length is ${length}`);
}

async function readBoth(actual: tf.Tensor, oracle: Safetensors, prefix: string, name: string) {
  const all = (await toPyTorch(actual)).data as Float32Array;
  const isThinned = oracle.tensors.has(`${prefix}_norm.${name}`);
  const compared = isThinned ? all.filter((_, index) => index % STRIDE === 0) : all;
  return { all, compared, expected: values(oracle, `${prefix}.${name}`) };
}

const ROUNDING = 1e-7; // of a sum that is 0 in theory

/** Asserts that no value is further off than `tolerance` times the largest expected one. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, `${what}: number of values`);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(actual[index] - expected[index]);
    assert(
      difference <= tolerance * largest + ROUNDING,
      `${what}[${index}] is ${actual[index]}, expected ${expected[index]} (largest ${largest})`,
    );
  }
}
