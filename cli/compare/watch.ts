import type { SweepRun } from "../../lib/experiments/manifest.ts";
import { inspectSweepRun, type RunStatus } from "../../lib/experiments/sweep_status.ts";
import { watchInterrupts } from "../../lib/support/interrupt.ts";
import { createLive } from "../shared/live.ts";
import { formatRuns, formatWhole, type TrackedRun } from "./progress.ts";

const MILLISECONDS_BETWEEN_LOOKS = 2000;

const STAGES: Record<RunStatus["stage"], TrackedRun["stage"]> = {
  waiting: "waiting",
  running: "running",
  stopped: "stopped",
  failed: "failed",
  abandoned: "stopped",
  finished: "finished",
};

/** Shows a sweep's progress from its folder until all runs are finished or failed, or Ctrl-C. */
export async function watchSweep(runs: readonly SweepRun[], runsFolder: string): Promise<void> {
  using interrupts = watchInterrupts();
  const live = await createLive();
  const tracked = new Map<SweepRun, TrackedRun>();
  let said = "";
  while (!interrupts.signal.aborted) {
    for (const run of runs) {
      if (tracked.get(run)?.stage === "finished") continue;
      const { stage, history, host } = await inspectSweepRun(run, runsFolder);
      tracked.set(run, { stage: STAGES[stage], history, step: null, host });
    }
    const running = [...tracked.values()].filter(({ stage }) => stage === "running").length;
    live.draw((size) => formatRuns(tracked, running, size), { now: true });
    const stages = [...tracked.values()].map(({ stage }) => stage).join();
    if (!live.interactive && stages !== said) live.print(formatWhole(tracked, running));
    said = stages;
    if ([...tracked.values()].every(({ stage }) => stage === "finished" || stage === "failed")) break;
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN_LOOKS));
  }
  live.leave();
}
