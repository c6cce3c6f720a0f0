/**
 * Crashes, enumerated: the system calls of real trainings are recorded, and the run is resumed from every
 * state that a crash could have left.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { parseHeader } from "../../lib/support/safetensors.ts";
import { openCheckpoint } from "../../lib/training/checkpoint.ts";
import { type CrashState, crashStates } from "./crash_states.ts";
import {
  checkRun,
  epochsDone,
  finishRun,
  type Reference,
  RESUME,
  RUN,
  runTask,
  startArguments,
  trainReference,
} from "./run.ts";
import type { Kind, Torture } from "./runner.ts";
import { readTrace, straceArguments } from "./trace.ts";

const EPOCHS = 3;

export const CRASHES: Kind = {
  name: "crashes",
  async run(torture) {
    const reference = await trainReference(join(torture.folder, "reference"), EPOCHS);
    await tryStates(torture, reference, "states of a training", startArguments(EPOCHS));
    if (!torture.quick) await tryStates(torture, reference, "states of a resumed training", RESUME);
    await tryTruncations(torture, reference);
  },
};

async function tryStates(torture: Torture, reference: Reference, what: string, args: string[]) {
  await torture.row(what, ["Linux", "program strace"], async (row) => {
    const { runs, before, operations } = await record(torture, what, args);
    const samples: CrashState[] = [];
    const scratch = await Deno.makeTempDir({
      dir: await roomInMemory() ?? torture.folder,
      prefix: "torture_",
    });
    const seen = new Set<string>();
    const least = before.size === 0 ? -1 : 1; // the resumed one has an epoch
    const cuts = torture.count(1200, 8);
    let count = 0;
    for (const state of crashStates(before, operations, cuts, row.random)) {
      const key = [...state.files].map(([path, bytes]) => `${path} ${idOf(bytes)}`).sort().join() +
        epochsDone(state.said);
      if (seen.has(key)) continue;
      seen.add(key);
      if (row.random.next() < torture.count(8, 0) / ++count) samples[row.random.integer(8)] = state;
      const atLeast = Math.max(least, epochsDone(state.said));
      await row.try(`${state.how} (${describe(state)})`, async () => {
        const runs = join(scratch, `${count}`);
        build(state, runs);
        await checkRun(join(runs, RUN), reference, atLeast);
        Deno.removeSync(runs, { recursive: true });
      });
    }
    const sample = join(torture.folder, "sample"); // a task may not write to /dev
    for (const state of Object.values(samples)) {
      await row.try(`by the command: ${state.how} (${describe(state)})`, async () => {
        build(state, sample);
        await finishRun(sample, reference);
        await Deno.remove(sample, { recursive: true });
      });
    }
    await Deno.remove(scratch, { recursive: true });
    await Deno.remove(runs, { recursive: true });
    row.note(`${operations.length} operations`);
  });
}

/** Records a training. A resumed one finds an epoch, and the temporary file of a killed process. */
async function record({ folder }: Torture, what: string, args: string[]) {
  const runs = join(folder, what.replaceAll(" ", "-"));
  const run = join(runs, RUN);
  await Deno.mkdir(runs);
  const paths: string[] = [];
  if (args === RESUME) {
    await runTask("train", startArguments(1), runs);
    await Deno.writeTextFile(join(run, ".dynamic-filters-00000000-0000-4000-8000-000000000000.tmp"), "left");
    for (const { name } of Deno.readDirSync(run)) paths.push(`${RUN}/${name}`);
  }
  const before = new Map(
    paths.map((path): [string, Uint8Array] => [path, Deno.readFileSync(join(runs, path))]),
  );
  const prefix = join(folder, `trace-${args.length}`);
  const through = straceArguments(prefix);
  const isResumed = args === RESUME;
  const end = await runTask("train", isResumed ? [...args, "--epochs", `${EPOCHS}`] : args, runs, {
    through,
  });
  assert.equal(end.code, 0, end.stderr);
  const operations = readTrace(prefix, runs, before);
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.startsWith("trace-")) Deno.removeSync(join(folder, name));
  }
  return { runs, before, operations };
}

const ids = new WeakMap<ArrayBufferLike, number>();
let nextId = 0;

/** Tells contents apart without reading them: each has its own buffer, or its own length of it. */
function idOf(bytes: Uint8Array): string {
  let id = ids.get(bytes.buffer);
  if (id === undefined) ids.set(bytes.buffer, id = nextId++);
  return `${id}:${bytes.length}`;
}

const describe = ({ files }: CrashState) =>
  [...files].map(([path, { length }]) => `${path} ${length}`).join(", ") || "no files";

/** Writes the state's files, and nothing else, into a new folder of runs. */
function build({ files }: CrashState, runs: string): void {
  Deno.mkdirSync(join(runs, RUN), { recursive: true });
  for (const [path, bytes] of files) Deno.writeFileSync(join(runs, path), bytes);
}

async function roomInMemory(): Promise<string | null> {
  return await Deno.stat("/dev/shm").then(() => "/dev/shm", () => null);
}

/** Cuts a checkpoint from its end to its beginning: each must be refused. */
async function tryTruncations({ folder, count, row }: Torture, reference: Reference): Promise<void> {
  await row("truncations of a checkpoint", [], async ({ random, try: attempt, note }) => {
    const path = join(folder, "torn.safetensors");
    await Deno.copyFile(join(reference.folder, "last.safetensors"), path);
    const bytes = await Deno.readFile(path);
    const { entries, headerBytes } = parseHeader(bytes, path, bytes.length);
    const lengths = new Set<number>();
    const edges = [...entries.values()].flatMap(({ data_offsets }) =>
      data_offsets.map((at) => at + headerBytes)
    );
    for (const edge of edges) for (let near = -4; near <= 4; near++) lengths.add(edge + near);
    for (let length = 0; length < headerBytes; length += count(1, 500)) lengths.add(length);
    for (let more = count(10_000, 20); more > 0; more--) lengths.add(random.integer(bytes.length));
    const sorted = [...lengths].filter((length) => length < bytes.length).sort((one, other) => other - one);
    for (const length of sorted) {
      Deno.truncateSync(path, length);
      await attempt(`cut to ${length} of ${bytes.length} bytes`, async () => {
        await assert.rejects(async () => (await openCheckpoint(path)).readTensors(), InputError);
      });
    }
    note(`all ${headerBytes} of the header, all edges of tensors, others at random`);
  });
}
