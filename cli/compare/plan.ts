import { identifyData } from "../../lib/data/identify.ts";
import { selectExperiments, type Selection } from "../../lib/experiments/experiments.ts";
import { describeRun, hasManifest, readManifest, type SweepRun } from "../../lib/experiments/manifest.ts";
import { parseSeeds, type PlannedRun, planRuns } from "../../lib/experiments/plan.ts";
import { readCommit } from "../../lib/experiments/provenance.ts";
import { planThreads, type SharedInputs } from "../../lib/experiments/runs.ts";
import { readConfigFile } from "../../lib/training/config_file.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { loadDatasetsWithBar, loadPretrainedWithBar } from "../shared/load.ts";
import { absolutePaths } from "../shared/options.ts";
import type { CompareLine } from "./options.ts";

/** Lists the runs that the command line asks for. */
export function planComparison(selection: Selection, { values, given }: CompareLine): PlannedRun[] {
  const flags = Object.fromEntries(Object.entries(given).filter(([name]) => name in TRAINING_OPTIONS));
  const { experiments, defaults } = selection;
  const seeds = parseSeeds(values.seeds ?? String(selection.seeds));
  const file = values.config === null ? undefined : readConfigFile(values.config);
  return planRuns({ experiments, seeds, defaults, file, flags })
    .map((run) => ({ ...run, config: absolutePaths(run.config) }));
}

/**
 * Looks up images and weights once, so that nothing is downloaded by several processes at once; the fallback
 * for a failed download is used by all runs, without another attempt.
 */
export async function findInputs(runs: readonly PlannedRun[]): Promise<SharedInputs> {
  const [{ config }] = runs;
  const datasets = await loadDatasetsWithBar(config.data);
  const { name: weights, source } = await loadPretrainedWithBar(config.weights);
  for (const { config } of runs) {
    if (datasets.source.kind === "synthetic") config.data = "synthetic";
    if (source === "random") config.weights = "random";
  }
  return { data: await identifyData(datasets), weights };
}

/** Plans a comparison with all that its results depend on; new runs have the threads of those in the folder. */
export async function planSweep(
  folder: string,
  names: readonly string[],
  line: CompareLine,
): Promise<SweepRun[]> {
  const planned = planComparison(selectExperiments(names), line);
  const inputs = await findInputs(planned);
  const { jobs } = line.values;
  const before = hasManifest(folder) ? await readManifest(folder) : [];
  const threads = line.values.threads ?? planThreads([...before, ...planned.map(() => ({}))], jobs);
  const facts = { ...inputs, commit: await readCommit(), threads };
  return await Promise.all(planned.map((run) => describeRun(run, facts)));
}
