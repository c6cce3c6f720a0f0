import { InputError } from "../support/errors.ts";
import { type ConfigFile, resolveConfig, type TrainConfig } from "../training/config.ts";
import type { Experiment } from "./experiments.ts";

/** One run of a comparison. */
export interface PlannedRun {
  experiment: Experiment;
  seed: number;
  /** Complete; its run name is `<experiment>-seed<N>`. */
  config: TrainConfig;
}

export interface PlanOptions {
  experiments: readonly Experiment[];
  seeds: readonly number[];
  /** Recipe shared by all runs; later fields win. */
  defaults?: Partial<TrainConfig>;
  file?: ConfigFile;
  flags?: Partial<TrainConfig>;
}

/**
 * Lists the runs of a comparison: seed by seed, so that finished runs can be compared in pairs at any time.
 *
 * @throws {InputError} If the recipe cannot be used.
 */
export function planRuns(options: PlanOptions): PlannedRun[] {
  const { experiments, seeds, defaults = {}, file, flags = {} } = options;
  return seeds.flatMap((seed) =>
    experiments.map((experiment): PlannedRun => {
      // set by the comparison, also where a run's config.json is the recipe
      const fixed = {
        ...experiment.network,
        seed,
        run: `${experiment.name}-seed${seed}`,
        classLoop: false,
        validation: 0,
      };
      const config = resolveConfig({ base: defaults, file, flags: { ...flags, ...fixed } });
      return { experiment, seed, config };
    })
  );
}

const LARGEST_SEED = 2 ** 32 - 1;

/**
 * Reads `--seeds`: a count `5` is 0–4, a list `0,3,7` is itself, a range `3-5` too, alone or in a list.
 *
 * @throws {InputError} If it has another form.
 */
export function parseSeeds(text: string): number[] {
  const refuse = (why: string) =>
    new InputError({
      what: `use ${text} as the seeds`,
      why,
      setting: "seeds",
      next: [{ advice: "give a number (5), a list (0,3,7) or a range (3-5)" }],
    });
  const isCount = /^\d+$/.test(text);
  const seeds = (isCount ? [`0-${Number(text) - 1}`] : text.split(",")).flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) throw refuse("it names no seeds");
    if (Number(last) > LARGEST_SEED) throw refuse("a seed is at most 4294967295");
    if (Number(last) - Number(first) >= 1000) throw refuse("those are more than a thousand");
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index);
  });
  if (new Set(seeds).size < seeds.length) throw refuse("it names a seed twice");
  return seeds;
}
