/** Whole trainings by the recipe `fast`, ours and PyTorch's, each in a process of its own. */
import { fromFileUrl, join } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { startProcess } from "../lib/support/processes.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime/installation.ts";
import { type Row, ROWS } from "./cases.ts";
import type { Prepared } from "./process.ts";

const fileOf = (path: string) => fromFileUrl(new URL(path, import.meta.url));

export interface TrainRowOptions {
  /** Python interpreter that has PyTorch; null where no row needs it. */
  python: string | null;
  threads: number;
  device: DeviceChoice;
  weights: string | null;
  /** Train ours on few images. */
  isQuick: boolean;
  signal: AbortSignal;
  /** Folder for the runs. */
  folder: string;
  prepared: Pick<Prepared, "data" | "state">;
}

/**
 * Trains a network of one side.
 *
 * @returns The process's duration, and the accuracy on the test images after the last epoch.
 * @throws {InputError} If there are only synthetic images, where PyTorch needs files, or if the process fails.
 */
export async function trainRow(
  row: Row,
  seed: number,
  { python, threads, device, weights, isQuick, signal, folder, prepared }: TrainRowOptions,
): Promise<{ seconds: number; accuracy: number }> {
  const { data, state } = prepared;
  const isOwn = ROWS[row].side === "own";
  if (data === null && !isOwn) {
    throw new InputError({
      what: `train ${ROWS[row].label} on synthetic images`,
      why: "it reads CIFAR-10's files",
      next: [{ set: { data: "PATH" } }],
    });
  }
  const own = ["--recipe", "fast", "--run", `seed${seed}`, "--data", data ?? "synthetic", "--device", device];
  if (isQuick) own.push("--subset", "512", "--test-subset", "100");
  if (weights !== null) own.push("--weights", weights);
  const recipe = fileOf("../lib/training/recipes/fast.json");
  const [command, ...args] = isOwn
    ? [Deno.execPath(), "run", "-q", "--no-prompt", "-P=compute", fileOf("../cli/train.ts"), ...own]
    : [
      ...[python!, fileOf("pytorch/train.py"), "--data", data!, "--weights", state],
      ...["--recipe", recipe, "--threads", String(threads)],
    ];
  const started = performance.now();
  const child = await startProcess(command, [...args, "--seed", String(seed), "--json"], {
    env: {
      TF_NUM_INTRAOP_THREADS: String(threads),
      CHECKPOINTS_DIR: join(folder, "runs"),
      ...device === "cpu" && { CUDA_VISIBLE_DEVICES: "" },
    },
    signal,
  });
  const { code, stdout, stderr } = await child.ended;
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) {
    const why = stderr.trim().split("\n").at(-1)!;
    throw new InputError({ what: `train ${ROWS[row].label} by the recipe fast`, why });
  }
  const { history } = JSON.parse(stdout) as { history: { testAccuracy: number }[] };
  return { seconds, accuracy: history.at(-1)!.testAccuracy };
}
