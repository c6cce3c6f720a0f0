import { ensureTensorFlow } from "../../lib/setup/setup.ts";
import type { Installation, InstallOptions, SetupReporter } from "../../lib/tensorflow/setup/mod.ts";
import { createLiveLine } from "./live_line.ts";

/** Installs TensorFlow into the project where it is missing, with its progress on a live line of standard error. */
export async function setUpTensorFlow(
  options: Pick<InstallOptions, "device" | "withoutGpu"> = {},
): Promise<Installation> {
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
