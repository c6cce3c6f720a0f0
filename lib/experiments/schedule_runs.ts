/** What became of the runs. */
export interface Outcome<Run> {
  failed: { run: Run; error: unknown }[];
  /** Whether some were left undone because of the signal. */
  isInterrupted: boolean;
}

/** Options of {@linkcode scheduleRuns}. */
export interface ScheduleOptions<Run> {
  runs: readonly Run[];
  /** How many at once. */
  jobs: number;
  /** Does one run; on the signal it saves what it has and returns false, else true when it is done. */
  start(run: Run): Promise<boolean>;
  /** Aborted to begin no more runs. */
  signal: AbortSignal;
  /** Told of a run that failed, at once. */
  onFailure?(run: Run, error: unknown): void;
}

/** Does runs, several at once, in their order. One that fails does not stop the others: its hours are theirs, not lost. */
export async function scheduleRuns<Run>(options: ScheduleOptions<Run>): Promise<Outcome<Run>> {
  const { runs, jobs, start, signal, onFailure } = options;
  const queue = [...runs];
  const outcome: Outcome<Run> = { failed: [], isInterrupted: false };
  const work = async () => {
    while (queue.length > 0) {
      if (signal.aborted) {
        outcome.isInterrupted = true;
        return;
      }
      const run = queue.shift()!;
      try {
        if (!await start(run)) outcome.isInterrupted = true;
      } catch (error) {
        outcome.failed.push({ run, error });
        onFailure?.(run, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, runs.length) }, work));
  return outcome;
}
