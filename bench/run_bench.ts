/**
 * The bench's course: open the processes, compare gradients, let them run in turn.
 *
 * @module
 */
import { describeMachine, readCodeVersion } from "../lib/experiments/provenance.ts";
import { Interrupted } from "../lib/support/interrupt.ts";
import type { BenchOptions } from "./bench_options.ts";
import { type Arena, BATCH_SIZE } from "./columns.ts";
import { compareGradients } from "./compare_gradients.ts";
import { findForm } from "./forms.ts";
import { measureColumns } from "./measure_columns.ts";
import { openOwn, openPeer, requireSameDevice } from "./open_processes.ts";
import type { BenchProcess } from "./process.ts";
import type { Parted, StepProfile } from "./profile.ts";
import type { OwnDescription, PeerDescription, Prepared } from "./protocol.ts";
import type { BenchResult } from "./result.ts";

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
    const javaScript = hasOurs ? await partJavaScript(options, own) : null;
    const profile = options.profile ? await profileStep(options, own) : null;
    options.signal.throwIfAborted();
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
      javaScript,
      profile,
      seconds: Math.round((performance.now() - started) / 1000),
    };
  } catch (error) {
    // Ctrl-C reaches the processes too, and what they then say is no news
    throw options.signal.aborted ? new Interrupted("Stopped; nothing was written.") : error;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
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
