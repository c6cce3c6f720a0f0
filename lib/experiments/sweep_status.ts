import type { EpochRecord } from "../training/progress.ts";
import { claimsOf, isHeld, readLastClaim } from "./claim.ts";
import type { SweepRun } from "./manifest.ts";
import { inspectRun, type SavedRun } from "./runs.ts";

/** State of a sweep's run. */
export interface RunStatus {
  /** `abandoned` where its process crashed; it can be taken over or soon will be. */
  stage: "waiting" | "running" | "stopped" | "failed" | "abandoned" | "finished";
  history: EpochRecord[];
  /** Content of its last checkpoint; none for one that has not begun. */
  saved?: SavedRun;
  /** Host that trains it or did last; null before its first. */
  host: string | null;
}

/**
 * Determines the state of a run from its folder and its claims.
 *
 * @throws {InputError} If the run in the folder is another one than was planned.
 */
export async function inspectSweepRun(run: SweepRun, runsFolder: string): Promise<RunStatus> {
  const { stage, history, saved } = await inspectRun(run, run, runsFolder);
  const last = readLastClaim(claimsOf(runsFolder, run.config.run));
  const host = last?.record.host ?? null;
  if (stage === "finished") return { stage, history, saved, host };
  if (last === null) return { stage: "waiting", history, saved, host };
  if (isHeld(last, new Date())) return { stage: "running", history, saved, host };
  const { end } = last.record;
  // one that finished and has no checkpoint any more was deleted
  return { stage: end === "finished" ? "waiting" : end ?? "abandoned", history, saved, host };
}
