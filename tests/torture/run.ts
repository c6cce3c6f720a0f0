/**
 * One small training, as a command and as a reference: every state that a run may be in after an epoch is
 * known, so whatever a fault leaves can be compared with it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "@std/path";
import { createSynthetic } from "../../lib/data/synthetic.ts";
import { InputError } from "../../lib/support/errors.ts";
import { type Checkpoint, openCheckpoint } from "../../lib/training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../../lib/training/config.ts";
import { findCheckpoint, openRunFolder } from "../../lib/training/run_folder.ts";
import { train } from "../../lib/training/train.ts";
import { taskArguments } from "../testing/command.ts";
import { PROJECT } from "../testing/sources.ts";
import { readHistory, timeless } from "../testing/training.ts";

/** The name of the run. */
export const RUN = "a";

const SETTINGS: Partial<TrainConfig> = {
  ...{ run: RUN, data: "synthetic", weights: "random", device: "cpu", compile: false },
  ...{ subset: 20, testSubset: 10, batchSize: 10, learningRate: 0.01, schedule: "constant" },
};

/** Arguments of `train` that start the run. */
export function startArguments(epochs: number): string[] {
  const { compile: _, subset, testSubset, batchSize, learningRate, ...rest } = SETTINGS;
  const settings = {
    ...rest,
    ...{ epochs, subset, "test-subset": testSubset, "batch-size": batchSize, "learning-rate": learningRate },
  };
  return ["--no-compile", ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])];
}

/** Arguments of `train` that resume the run. */
export const RESUME = ["--resume", RUN];

/** The undisturbed training. */
export interface Reference {
  /** Its run folder. */
  folder: string;
  epochs: number;
  /** Digest of the state after each number of epochs. */
  states: Map<number, string>;
}

/** Trains undisturbed, and records the state after each epoch. The rate is constant: fewer epochs agree. */
export async function trainReference(runs: string, epochs: number): Promise<Reference> {
  const states = new Map<number, string>();
  const folder = join(runs, RUN);
  const copies: string[] = [];
  const keep = (epoch: number) => {
    copies[epoch] = join(runs, `${epoch}.safetensors`);
    Deno.copyFileSync(join(folder, "last.safetensors"), copies[epoch]);
  };
  await train(resolveConfig({ flags: { ...SETTINGS, epochs } }), {
    runsFolder: runs,
    datasets: createSynthetic(),
    observer: { onStart: () => keep(0), onEpoch: ({ epoch }) => keep(epoch) },
  });
  for (const [epoch, path] of copies.entries()) {
    states.set(epoch, digest(await openCheckpoint(path)));
    Deno.removeSync(path);
  }
  return { folder, epochs, states };
}

/** Hashes all tensors bit for bit, and the progress without its times. */
export function digest(checkpoint: Checkpoint): string {
  const { network, slots } = checkpoint.readTensors();
  const { sums: { seconds: _, ...sums }, history, ...progress } = checkpoint.progress;
  const hash = createHash("sha256").update(
    JSON.stringify({ ...progress, sums, history: timeless(history) }),
  );
  for (const [name, { shape, data }] of [...network, ...slots ?? []]) {
    hash.update(`${name} ${shape}`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** A process looks for temporary files of killed ones when it first writes into a folder. */
const visited = new Set<string>();

/** Lists the temporary files in a folder. */
export function listTemporary(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".tmp"));
}

/**
 * Opens a run as `train --resume` does, and asserts that it is one of the reference's states, and not before
 * `atLeast` epochs; -1 allows that there is no checkpoint yet. Returns the epochs done.
 */
export async function checkRun(folder: string, { states }: Reference, atLeast: number): Promise<number> {
  let path: string;
  try {
    path = findCheckpoint(basename(folder), "last", dirname(folder));
  } catch (error) {
    if (!(error instanceof InputError) || atLeast >= 0) throw error;
    openRunFolder(folder, true)[Symbol.dispose](); // a new run may begin there
    return -1;
  }
  const checkpoint = await openCheckpoint(path);
  const { progress } = checkpoint;
  assert.ok(progress.epochs >= atLeast, `epoch ${atLeast} was done, and the run has ${progress.epochs}`);
  // a state between epochs is none of those recorded: it shows at the end whether it was right
  if (progress.steps > 0) checkpoint.readTensors();
  else assert.equal(digest(checkpoint), states.get(progress.epochs), "the state is none of the training's");
  if (progress.best !== null) {
    const best = await openCheckpoint(join(folder, "best.safetensors"));
    assert.equal(digest(best), states.get(best.progress.epochs), "the best state is none of the training's");
  }
  using opened = openRunFolder(folder, false);
  opened.writeHistory(progress.history);
  assert.deepEqual(timeless(readHistory(folder)), timeless(progress.history));
  if (!visited.has(folder)) assert.deepEqual(listTemporary(folder), [], "temporary files are left");
  visited.add(folder);
  return progress.epochs;
}

/** A program's end: exit code and signal, and what it printed. */
export interface End extends Deno.CommandStatus {
  stdout: string;
  stderr: string;
}

/** Options of {@linkcode startTask}. */
export interface StartOptions {
  /** Words in front of the command: `strace -f …`, `sh -c 'exec "$@" 2>/dev/full' sh`. */
  through?: string[];
  /** Receives what the command has printed so far on standard error. */
  onText?(text: string): void;
  env?: Record<string, string>;
}

/** A task's command in a process of its own. */
export interface Started {
  process: Deno.ChildProcess;
  /** Its end; after two minutes it is killed, which counts as a hang. */
  end: Promise<End>;
  /** Epochs that it has reported as done. */
  done(): number;
}

const LONGEST = 120_000;

/** Starts `deno task <name>`, with its runs in `runs`. */
export function startTask(
  name: string,
  args: string[],
  runs: string,
  { through = [], onText = () => {}, env = {} }: StartOptions = {},
): Started {
  const [program, ...rest] = [...through, Deno.execPath(), ...taskArguments(name), ...args];
  const process = new Deno.Command(program, {
    args: rest,
    cwd: PROJECT,
    env: {
      NO_COLOR: "1",
      INIT_CWD: "",
      CHECKPOINTS_DIR: runs,
      CIFAR10_DIR: "",
      RESNET18_WEIGHTS: "",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const reading = (async () => {
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) onText(stderr += text);
  })();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    process.kill("SIGKILL");
  }, LONGEST);
  const end = (async () => {
    const stdout = await new Response(process.stdout).text();
    await reading;
    const status = await process.status;
    clearTimeout(timer);
    assert.ok(!isLate, `it hung: ${name} ${args.join(" ")}`);
    return { ...status, stdout, stderr };
  })();
  end.catch(() => {}); // told where it is awaited
  return { process, end, done: () => epochsDone(stderr) };
}

/** Runs a task to its end. */
export async function runTask(...options: Parameters<typeof startTask>): Promise<End> {
  return await startTask(...options).end;
}

/** The last epoch that was reported as done. */
export function epochsDone(stderr: string): number {
  return Number([...stderr.matchAll(/^epoch +(\d+)\/\d+ .*\n/gm)].at(-1)?.[1] ?? -1);
}

/** Asserts that a command refused in one line: exit code 2, no stack. */
export function assertRefused({ code, stderr }: End, ...others: number[]): void {
  assert.ok([2, ...others].includes(code), `exit code ${code}: ${stderr.slice(-600)}`);
  assert.ok(!/^\s+at .*:\d+:\d+|This is a bug/m.test(stderr), `a stack: ${stderr.slice(-600)}`);
}

/** Resumes a run to its end by the command, and asserts that it equals the undisturbed one. */
export async function finishRun(runs: string, reference: Reference): Promise<void> {
  const folder = join(runs, RUN);
  const begun = await Deno.stat(join(folder, "last.safetensors")).then(() => true, () => false);
  const end = await runTask("train", [
    ...(begun ? [...RESUME, "--epochs", `${reference.epochs}`] : startArguments(reference.epochs)),
  ], runs);
  assert.equal(end.code, 0, end.stderr);
  assert.deepEqual(listTemporary(folder), [], "temporary files are left");
  assert.equal(await checkRun(folder, reference, reference.epochs), reference.epochs);
}
