import type { Datasets } from "../../lib/data/dataset.ts";
import { loadDatasets } from "../../lib/data/load_datasets.ts";
import { createSynthetic, SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import { loadPretrained, type Pretrained } from "../../lib/model/pretrained.ts";
import { ensureTensorFlow } from "../../lib/tensorflow/setup/mod.ts";
import { formatCircumstances } from "../cells/circumstances.ts";
import { displayMarkdown } from "../cells/text.ts";
import { type NativeTensorFlow, useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";

/** What a notebook works with. */
export interface OpenNotebook {
  /** Training and test images. */
  datasets: Datasets;
  /** What the backbone starts from; its `tensors` are null for a random start. */
  pretrained: Pretrained;
  /** What computes. */
  runtime: NativeTensorFlow;
  /** Whether this is a trial of the machinery: drawn shapes, a few steps; its numbers mean nothing. */
  quick: boolean;
}

/** Images of a trial. */
const QUICK_SIZES = { trainSize: 640, testSize: 200 };

/**
 * Makes a notebook ready: sets TensorFlow up, loads images and weights where the command line's programs look for them, and prints one
 * line that names all three.
 *
 * With the environment variable `NOTEBOOK_QUICK=1` it takes a few drawn images and a random start, and needs no network.
 *
 * @example
 * ```ts ignore
 * const { datasets, pretrained, quick } = await openNotebook();
 * ```
 */
export async function openNotebook(): Promise<OpenNotebook> {
  const quick = isQuick();
  await ensureTensorFlow({ reporter: { line: (text) => console.log(text) } });
  const runtime = await useNativeTensorFlow();
  const log = (text: string) => console.log(text);
  const datasets = quick ? createSynthetic(QUICK_SIZES) : await loadDatasets({ log });
  const pretrained = await loadPretrained({ weights: quick ? "random" : undefined, log });
  const { train, test } = datasets;
  const circumstances = {
    data: train.name,
    synthetic: train.name === SYNTHETIC_NAME,
    sizes: [train.labels.length, test.labels.length] as const,
    weights: pretrained.name,
    runtime: `${runtime.device.toUpperCase()}, TensorFlow ${runtime.version}`,
    quick,
  };
  await displayMarkdown(formatCircumstances(circumstances), { kind: "circumstances", ...circumstances });
  return { datasets, pretrained, runtime, quick };
}

/** Whether the notebook is only tried: `NOTEBOOK_QUICK=1`, as `deno task notebooks --quick` sets it. */
export function isQuick(): boolean {
  return Deno.env.get("NOTEBOOK_QUICK") === "1";
}
