/**
 * The bench's course: open the processes, compare gradients, let them run in turn.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { describeMachine, readCodeVersion } from "../lib/experiments/provenance.ts";
import { InputError } from "../lib/input_error.ts";
import { Interrupted } from "../lib/interrupt.ts";
import { readSafetensors, type StoredTensor } from "../lib/safetensors.ts";
import type { DeviceChoice } from "../lib/tensorflow/runtime.ts";
import { type Agreement, gradientDistance, LIMITS, requireAgreement } from "./agreement.ts";
import {
  type Arena,
  BATCH_SIZE,
  type Column,
  listContestants,
  scaleTime,
  TRAINING_IMAGES,
} from "./columns.ts";
import { findForm, FLOAT32_PEERS } from "./forms.ts";
import { OWN_FORMS } from "./learner.ts";
import { type BenchProcess, openProcess } from "./process.ts";
import type { Parted, StepProfile } from "./profile.ts";
import type { OwnDescription, PeerDescription, Prepared, Timed } from "./protocol.ts";
import type { BenchResult, ColumnResult } from "./result.ts";
import { type Contestant, runRounds } from "./rounds.ts";
import { leastMedian, pairRounds, summariseRounds } from "./statistics.ts";

/** What to measure, and how. */
export interface BenchOptions {
  columns: readonly Column[];
  /** Rows of the table. */
  rows: readonly string[];
  /** Rounds that count, and those thrown away before them. */
  rounds: number;
  thrownAway: number;
  /** Milliseconds that a turn lasts at least. */
  turn: number;
  /** Training images of an epoch that is timed. */
  epochImages: number;
  /** The Python that has PyTorch; null where none of its rows is measured. */
  python: string | null;
  /** Threads within an operation, on both sides. */
  threads: number;
  device: DeviceChoice;
  data: string | null;
  weights: string | null;
  /** Time the operations of a step as well. */
  profile: boolean;
  isQuick: boolean;
  loadAverage: number[];
  warning: string | null;
  signal: AbortSignal;
  /** Told what is being done, some times a second. */
  onProgress(text: string): void;
  /** Told what the user should read. */
  onMessage(text: string): void;
}

/** The row of what is no contestant: batches that nobody trains on. */
const BATCHES_ALONE = "batches";

/**
 * Runs the bench.
 *
 * @throws {InputError} If gradients disagree, devices differ, or a process cannot run.
 * @throws {Interrupted} If it was stopped.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const started = performance.now();
  const date = new Date().toISOString();
  const folder = Deno.makeTempDirSync({ prefix: "bench-" });
  try {
    await using own = openOwn(options, options.onMessage);
    await using peer = options.python === null ? null : openPeer(options);
    options.onProgress("starting");
    const { weights, data } = options;
    const ownDescription = await own.ask<OwnDescription>({ command: "describe" });
    const peerDescription = await peer?.ask<PeerDescription>({ command: "describe" }) ?? null;
    if (peerDescription) requireSameDevice(ownDescription, peerDescription);
    const prepared = await own.ask<Prepared>({ command: "prepare", folder, data, weights });
    const { state, images } = prepared;
    const arena: Arena = {
      processOf: (row) => findForm(row).side === "own" ? own : peer!,
      open: (row) => findForm(row).side === "own" ? openOwn(options) : openPeer(options),
      load: { command: "load", state, data: prepared.data, images },
      epochImages: Math.min(options.epochImages, images),
    };
    await own.ask(arena.load);
    await peer?.ask(arena.load);
    const agreement = peer ? await compareGradients(options, arena, prepared, folder) : [];
    const { columns, dataShare } = await measureColumns(options, arena, own);
    const hasOurs = columns.some(({ rows }) => rows.some(({ row }) => row === "ours"));
    return {
      date,
      isQuick: options.isQuick,
      machine: await describeMachine(ownDescription.device),
      loadAverage: options.loadAverage,
      warning: options.warning,
      own: ownDescription,
      pytorch: peerDescription,
      code: await readCodeVersion(),
      data: prepared.dataName,
      weights: prepared.weightsName,
      settings: {
        rounds: options.rounds,
        thrownAway: options.thrownAway,
        turn: options.turn,
        batchSize: BATCH_SIZE,
        epochImages: arena.epochImages,
      },
      agreement,
      columns,
      dataShare,
      javaScript: hasOurs ? await partJavaScript(options, own) : null,
      profile: options.profile ? await profileStep(options, own) : null,
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } catch (error) {
    // Ctrl-C reaches the processes too, and what they then say is no news
    throw options.signal.aborted ? new Interrupted("Stopped; nothing was written.") : error;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const HERE = fromFileUrl(new URL(".", import.meta.url));

function openOwn({ device, threads }: BenchOptions, onMessage?: (line: string) => void): BenchProcess {
  return openProcess({
    name: "TensorFlow.js",
    command: Deno.execPath(),
    args: ["run", "-A", join(HERE, "serve.ts"), device],
    env: { TF_NUM_INTRAOP_THREADS: String(threads) },
    onMessage,
  });
}

function openPeer({ python, device, threads }: BenchOptions): BenchProcess {
  const flags = ["--threads", String(threads), "--device", device === "gpu" ? "cuda" : device];
  return openProcess({
    name: "PyTorch",
    command: python!,
    args: [join(HERE, "pytorch", "peer.py"), ...flags],
  });
}

function requireSameDevice(own: OwnDescription, peer: PeerDescription): void {
  if ((own.device === "cpu") === (peer.device === "cpu")) return;
  throw new InputError(
    `Cannot compare: TensorFlow computes on the ${own.device.toUpperCase()} and PyTorch on ${peer.device}. ` +
      "Use --device cpu, or see that both find the GPU.",
  );
}

/** Each of our rows, and PyTorch as usually written, against PyTorch tuned. */
async function compareGradients(
  { rows, onProgress, signal }: BenchOptions,
  { processOf }: Arena,
  { batches }: Prepared,
  folder: string,
): Promise<Agreement[]> {
  const reference = "best";
  const compute = async (row: string, batch: string): Promise<Map<string, StoredTensor>> => {
    onProgress(`comparing gradients: ${findForm(row).label}`);
    if (signal.aborted) throw new Interrupted("");
    const out = join(folder, "gradients.safetensors");
    await processOf(row).ask({ command: "gradients", form: row, batch, out });
    const { tensors } = await readSafetensors(out);
    return new Map([...tensors].filter(([name]) => name.startsWith("gradient.")));
  };
  const expected = [];
  for (const batch of batches) expected.push(await compute(reference, batch));
  const agreements: Agreement[] = [];
  for (const row of rows.filter((row) => row === "usual" || findForm(row).side === "own")) {
    const distances = [];
    for (const [at, batch] of batches.entries()) {
      distances.push(gradientDistance(await compute(row, batch), expected[at]));
    }
    const limit = OWN_FORMS[row]?.winograd ? LIMITS.winograd : LIMITS.direct;
    agreements.push({ row, reference, distances, limit });
  }
  requireAgreement(agreements);
  return agreements;
}

async function measureColumns(
  options: BenchOptions,
  arena: Arena,
  own: BenchProcess,
): Promise<Pick<BenchResult, "columns" | "dataShare">> {
  const { rows, rounds, thrownAway, turn, signal, onProgress } = options;
  const columns: ColumnResult[] = [];
  let dataShare: BenchResult["dataShare"] = null;
  for (const column of options.columns) {
    const contestants = listContestants(column, rows, arena);
    if (contestants.length === 0) continue;
    const isEpoch = column.id === "epoch" && contestants.some(({ row }) => row === "ours");
    if (isEpoch) contestants.push(batchesAlone(own, arena));
    const settings = { rounds, thrownAway, ...column.rounds };
    settings.rounds = Math.min(rounds, settings.rounds);
    const result = await runRounds(contestants, {
      ...settings,
      turn,
      signal,
      onTurn: (row, round) => {
        const label = row === BATCHES_ALONE ? "batches alone" : findForm(row).label;
        const all = settings.thrownAway + settings.rounds;
        onProgress(`${column.title}: ${round === 0 ? "building" : `round ${round} of ${all}`}, ${label}`);
      },
    });
    if (isEpoch) {
      const alone = result.rounds.get(BATCHES_ALONE)!;
      dataShare = summariseRounds(pairRounds(result.rounds.get("ours")!, alone));
      result.rounds.delete(BATCHES_ALONE);
    }
    columns.push(summariseColumn(column, result));
  }
  return { columns, dataShare };
}

/** A whole epoch's batches, in the epoch column's unit: their order is drawn once, which would weigh too much in a part. */
function batchesAlone(own: BenchProcess, { load: { images } }: Arena): Contestant {
  return {
    row: BATCHES_ALONE,
    count: 1,
    run: async () => {
      const question = { command: "batches", batchSize: BATCH_SIZE, images } as const;
      return scaleTime(await own.ask<Timed>(question), TRAINING_IMAGES);
    },
  };
}

/** Medians and ratios of a column. */
export function summariseColumn(
  { id, title, unit, batchSize, rows }: Pick<Column, "id" | "title" | "unit" | "batchSize" | "rows">,
  { rounds, counts }: { rounds: ReadonlyMap<string, number[]>; counts: ReadonlyMap<string, number> },
): ColumnResult {
  const peers = new Map([...rounds].filter(([row]) => FLOAT32_PEERS.includes(row)));
  const reference = leastMedian(peers);
  const compare = (values: number[]) => {
    if (reference === null) return null;
    const other = rounds.get(reference)!;
    return summariseRounds(unit === "MB" ? pairRounds(other, values) : pairRounds(values, other));
  };
  return {
    id,
    title,
    unit,
    ...(batchSize === undefined ? {} : { batchSize }),
    reference,
    rows: rows.filter((row) => rounds.has(row)).map((row) => ({
      row,
      label: findForm(row).label,
      count: counts.get(row)!,
      rounds: rounds.get(row)!,
      spread: summariseRounds(rounds.get(row)!),
      ratio: compare(rounds.get(row)!),
    })),
  };
}

const TRIES = 3;

/** JavaScript's part of a step: the middle of three tries. */
async function partJavaScript(
  { turn, onProgress, signal }: BenchOptions,
  own: BenchProcess,
): Promise<Parted & { batchSize: number }> {
  const tries: Parted[] = [];
  for (let at = 0; at < TRIES && !signal.aborted; at++) {
    onProgress("JavaScript's part of a step");
    const count = Math.max(5, Math.ceil(turn / 20));
    tries.push(await own.ask<Parted>({ command: "javascript", form: "ours", batchSize: BATCH_SIZE, count }));
  }
  tries.sort((one, other) => one.javaScript - other.javaScript);
  return { batchSize: BATCH_SIZE, ...tries[1] };
}

async function profileStep({ turn, onProgress }: BenchOptions, own: BenchProcess): Promise<StepProfile> {
  onProgress("profiling a step");
  const count = Math.max(5, Math.ceil(turn / 20));
  return await own.ask<StepProfile>({ command: "profile", batchSize: BATCH_SIZE, count });
}
