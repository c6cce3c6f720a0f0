import {
  ensureTensorFlow,
  type EnsureTensorFlowOptions,
  type SetupReporter,
} from "../../lib/tensorflow/setup/mod.ts";
import type { Runtime } from "../../lib/tensorflow/runtime/runtime.ts";
import { createLiveLine } from "./live_line.ts";

/** {@linkcode ensureTensorFlow}, with its progress on a live line of standard error. */
export async function setUpTensorFlow(
  options: Omit<EnsureTensorFlowOptions, "reporter"> = {},
): Promise<Runtime> {
  return await withLiveReporter((reporter) => ensureTensorFlow({ ...options, reporter }));
}

/** Runs a set-up that reports on a live line of standard error. */
export async function withLiveReporter<T>(work: (reporter: SetupReporter) => Promise<T>): Promise<T> {
  const liveLine = createLiveLine();
  const live = (text: string) => liveLine.draw((columns) => text.slice(0, columns));
  try {
    return await work({
      line: (text) => liveLine.print(text),
      live: liveLine.interactive ? live : undefined,
    });
  } finally {
    liveLine.clear();
  }
}
