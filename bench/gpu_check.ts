/**
 * Checks a device against the CPU: gradients, a compiled step against operations one by one, a run with its
 * checkpoint, resume, evaluation and prediction; and times it.
 */
import { fromFileUrl, join } from "@std/path";
import { InputError } from "../lib/support/errors.ts";
import { formatNumber } from "../lib/support/format.ts";
import { startProcess } from "../lib/support/processes.ts";
import { readSafetensors, type StoredTensor } from "../lib/support/safetensors.ts";
import { makeTemporaryFolder } from "../lib/support/temporary_folder.ts";
import { BATCH_SIZE, scaleTime, TRAINING_IMAGES } from "./cases.ts";
import { gradientDistance } from "./gradients.ts";
import { type BenchProcess, openOwn, type OwnDescription, type Prepared, type Timing } from "./process.ts";

/** One line of the table. */
export interface CheckResult {
  check: string;
  result: string;
  /** Whether it passed; null for a mere measurement. */
  passed: boolean | null;
}

export interface CheckOptions {
  /** The device to check; `cpu` tries the check itself. */
  device: "cpu" | "gpu";
  /** Training images of the runs. */
  images: number;
  /** Steps per timing. */
  steps: number;
  signal: AbortSignal;
  onResult(result: CheckResult): void;
}

/**
 * Largest distance between gradients on two devices, ‖g − g₀‖ / ‖g₀‖: float32's rounding, or that of TF32,
 * which keeps 10 bits of the inputs of a convolution (0.04 to 0.07 on an H200).
 */
const LIMITS = { float32: 1e-4, TF32: 0.15 };

/** Tells whether rounding explains a distance. */
export function judgeDistance(precision: keyof typeof LIMITS, distance: number): boolean {
  return distance <= LIMITS[precision]; // false for NaN
}

/** Largest difference between the two devices' probabilities and accuracies. */
const SCORE_LIMIT = 1e-2;

/** Turns TF32 off in NVIDIA's libraries. */
const FULL_FLOAT32 = { NVIDIA_TF32_OVERRIDE: "0" };

/**
 * Runs all checks, each in processes of its own.
 *
 * @throws {InputError} If TensorFlow does not compute on the device, or a command fails.
 */
export async function checkDevice(options: CheckOptions): Promise<void> {
  using temporary = makeTemporaryFolder();
  await checkGradients(options, temporary.path);
  await checkRuns(options, temporary.path);
}

async function checkGradients(options: CheckOptions, folder: string): Promise<void> {
  const { device, signal, onResult } = options;
  await using cpu = await open("cpu", {}, signal);
  const prepared = await cpu.ask<Prepared>({
    command: "prepare",
    folder,
    data: "synthetic",
    weights: "random",
  });
  const load = { command: "load", state: prepared.state, data: null, images: TRAINING_IMAGES } as const;
  await cpu.ask(load);
  const gradientsOf = async (process: BenchProcess, form: string, batch: string) => {
    const out = join(folder, "gradients.safetensors");
    await process.ask({ command: "gradients", form, batch, out });
    return (await readSafetensors(out)).tensors;
  };
  const expected: Map<string, StoredTensor>[] = [];
  for (const batch of prepared.batches) expected.push(await gradientsOf(cpu, "ours", batch));

  for (const [precision, env] of [["float32", FULL_FLOAT32], ["TF32", {}]] as const) {
    await using process = await open(device, env, signal);
    const { device: found } = await process.ask<OwnDescription>({ command: "describe" });
    if (precision === "float32") {
      onResult({
        check: "TensorFlow computes on the",
        result: found.toUpperCase(),
        passed: found === device,
      });
    }
    await process.ask(load);
    for (const form of ["ours", "eager"]) {
      const distances: number[] = [];
      for (const [at, batch] of prepared.batches.entries()) {
        distances.push(gradientDistance(await gradientsOf(process, form, batch), expected[at]));
      }
      const largest = Math.max(...distances);
      onResult({
        check: `gradients beside the CPU's, ${precision}, ${form === "ours" ? "compiled" : "one by one"}`,
        result: `${largest.toExponential(1)} of their length`,
        passed: judgeDistance(precision, largest),
      });
    }
    const losses: number[] = [];
    for (const form of ["ours", "eager"]) {
      const command = { command: "step", form, batchSize: BATCH_SIZE, count: 10 } as const;
      losses.push((await process.ask<Timing>(command)).loss!);
    }
    const [kept, eager] = losses;
    onResult({
      check: `loss after 10 steps, ${precision}, compiled beside one by one`,
      result: `${formatNumber(kept, 5)} and ${formatNumber(eager, 5)}`,
      passed: Math.abs(kept / eager - 1) < 0.02,
    });
    await measure(process, precision, options);
  }
}

/** Times a step, an epoch and an evaluation. */
async function measure(
  process: BenchProcess,
  precision: string,
  { steps, onResult }: CheckOptions,
): Promise<void> {
  const time = async (check: string, work: () => Promise<string>) => {
    await work(); // compiles
    onResult({ check: `${check}, ${precision}`, result: await work(), passed: null });
  };
  for (const form of ["ours", "eager"]) {
    for (const batchSize of form === "ours" ? [BATCH_SIZE, 1024] : [BATCH_SIZE]) {
      await time(`train step, batch ${batchSize}${form === "eager" ? ", one by one" : ""}`, async () => {
        const command = { command: "step", form, batchSize, count: steps } as const;
        return `${(await process.ask<Timing>(command)).milliseconds.toFixed(2)} ms`;
      });
    }
  }
  const images = 2 * steps * BATCH_SIZE;
  await time("epoch of 50,000 images", async () => {
    const command = { command: "epoch", form: "ours", batchSize: BATCH_SIZE, images } as const;
    return `${scaleTime(await process.ask<Timing>(command), TRAINING_IMAGES).toFixed(2)} s`;
  });
  await time("making its batches", async () => {
    const command = { command: "batches", batchSize: BATCH_SIZE, images } as const;
    return `${scaleTime(await process.ask<Timing>(command), TRAINING_IMAGES).toFixed(2)} s`;
  });
  await time("evaluation of 10,000 images", async () => {
    const command = { command: "test", form: "ours", batchSize: 125 } as const;
    return `${scaleTime(await process.ask<Timing>(command), 10_000).toFixed(2)} s`;
  });
}

/** Of a run that is stopped after the first: some are left even where the signal arrives late. */
const EPOCHS = 6;

async function checkRuns({ device, images, signal, onResult }: CheckOptions, folder: string): Promise<void> {
  const env = { CHECKPOINTS_DIR: folder };
  const train = (args: string[], stopAt?: RegExp) =>
    runTask("train", [...args, "--device", device], env, signal, stopAt);
  const data = ["--data", "synthetic"];
  const length = ["--epochs", String(EPOCHS), "--subset", String(images)];
  const recipe = [...data, "--weights", "random", ...length];
  await train([...recipe, "--run", "whole"]);
  await train([...recipe, "--run", "stopped"], /epoch 1\//);
  await train(["--resume", "stopped"]);
  const [whole, resumed] = await Promise.all(
    ["whole", "stopped"].map((name) => readSafetensors(join(folder, name, "last.safetensors"))),
  );
  const distance = gradientDistance(resumed.tensors, whole.tensors);
  onResult({
    check: "resumed beside uninterrupted",
    result: distance === 0 ? "the same bits" : `${distance.toExponential(1)} of their length apart`,
    passed: device === "cpu" ? distance === 0 : null, // a GPU does not add in the same order each time
  });
  const both = async (check: string, task: string, args: string[]) => {
    const numbers: number[][] = [];
    for (const where of [device, "cpu"]) {
      const flags = [...args, ...data, "--device", where, "--json"];
      const { stdout } = await runTask(task, flags, { ...env, ...FULL_FLOAT32 }, signal);
      numbers.push([...stdout.matchAll(/0\.\d{4,}/g)].map(([text]) => Number(text)));
    }
    const largest = Math.max(...numbers[0].map((value, at) => Math.abs(value - numbers[1][at])));
    onResult({ check, result: `at most ${largest.toExponential(1)} apart`, passed: largest <= SCORE_LIMIT });
  };
  await both("evaluate beside the CPU's", "evaluate", ["whole"]);
  await both("predict beside the CPU's", "predict", ["--cifar", "3", "--model", "whole"]);
}

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** Runs a task of the project; interrupts it at a line of its output. */
async function runTask(
  task: string,
  args: string[],
  env: Record<string, string>,
  signal: AbortSignal,
  stopAt?: RegExp,
): Promise<{ stdout: string }> {
  const lines: string[] = [];
  const errors: string[] = [];
  let isStopped = false;
  const read = (into: string[]) => (line: string) => {
    into.push(line);
    if (isStopped || !stopAt?.test(line)) return;
    isStopped = true;
    child.kill("SIGINT");
  };
  const child = await startProcess(
    Deno.execPath(),
    ["run", "-q", "--no-prompt", "-P=compute", join(ROOT, "cli", `${task}.ts`), ...args],
    { env, signal, onOutput: read(lines), onError: read(errors) },
  );
  const { code } = await child.ended;
  if (code === (isStopped ? 130 : 0)) return { stdout: lines.join("\n") };
  const cause = errors.find((line) => /\w*Error: /.test(line)) ??
    errors.findLast((line) => line.trim() !== "");
  throw new InputError({
    what: `run deno task ${[task, ...args].join(" ")}`,
    why: `it ended with code ${code}: ${cause ?? "no message"}`,
  });
}

function open(device: string, env: Record<string, string>, signal: AbortSignal): Promise<BenchProcess> {
  return openOwn(device, { name: `TensorFlow on the ${device.toUpperCase()}`, env, signal });
}
