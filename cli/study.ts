import { join } from "@std/path";
import { identifyData } from "../lib/data/identify.ts";
import { parseSeeds } from "../lib/experiments/plan.ts";
import { describeMachine, readCommit } from "../lib/experiments/provenance.ts";
import { publishedResultsFolder } from "../lib/experiments/results.ts";
import { findStudy, STUDIES } from "../lib/experiments/studies/mod.ts";
import { changesOf, runStudy, type StudyContext } from "../lib/experiments/study.ts";
import { formatStudy, writeStudy } from "../lib/experiments/study_results.ts";
import { InputError } from "../lib/support/errors.ts";
import { Interrupted, watchInterrupts } from "../lib/support/interrupt.ts";
import { flag, textOption } from "../lib/support/schema.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import type { TrainConfig } from "../lib/training/config.ts";
import type { TrainObserver } from "../lib/training/observer.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { defaultRunsFolder } from "../lib/training/run_folder.ts";
import { RECIPE_OPTIONS } from "./compare/options.ts";
import { runCommand } from "./shared/command.ts";
import { createLive, fitLine, type Live } from "./shared/live.ts";
import { loadDatasetsWithBar, loadPretrainedWithBar, setUpTensorFlow } from "./shared/load.ts";
import { absolutePaths, type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { formatTable } from "./shared/table.ts";
import { print, printMessage, showPath } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task study",
  summary:
    "Measures what a claim about the network rests on, with its controls, over several seeds. Finished parts are kept, " +
    "interrupted trainings resumed: start the same command again, or several times at once to share the work.",
  positionals: { name: "NAME", help: "the study; without one they are listed", from: 0, to: 1 },
  options: {
    seeds: textOption("number of seeds (5), a list (0,3,7) or a range (3-5)", "N|LIST", {
      group: "Study",
      defaultText: "the study's own number",
    }),
    into: {
      schema: TRAINING_OPTIONS.run.schema.nullable(),
      defaultText: "the study's name",
      group: "Study",
      help: "keep trainings and measurements in checkpoints/NAME",
      value: "NAME",
    },
    publish: flag("write the result to notebooks/results/", "Study"),
    ...RECIPE_OPTIONS,
    json: JSON_OPTION,
  },
} satisfies Command;

async function main({ values, given, positionals: [name] }: CommandLine<typeof COMMAND>): Promise<void> {
  if (name === undefined) return print(describeStudies());
  const study = findStudy(name);
  const seeds = parseSeeds(values.seeds ?? String(study.seeds));
  const flags = Object.fromEntries(Object.entries(given).filter(([option]) => option in RECIPE_OPTIONS));
  await setUpTensorFlow({ device: values.device });
  const runtime = await useNativeTensorFlow({ device: values.device });
  const datasets = await loadDatasetsWithBar(values.data);
  const isSynthetic = datasets.source.kind === "synthetic";
  if (values.publish && isSynthetic) {
    throw new InputError("Cannot publish a study of the synthetic data set: it says nothing about CIFAR-10.");
  }
  const pretrained = await loadPretrainedWithBar(values.weights);
  const { data, weights } = absolutePaths({ data: values.data, weights: values.weights });
  const recipe: Partial<TrainConfig> = {
    ...flags,
    data: isSynthetic ? "synthetic" : data,
    weights: pretrained.source === "random" ? "random" : weights,
  };
  const folder = join(defaultRunsFolder(), values.into ?? study.name);
  const isLabs = Object.keys(changesOf(recipe)).length === 0;
  using interrupts = watchInterrupts();
  const live = await createLive();
  const progress = { done: 0, all: study.units(seeds).length };
  const context: StudyContext = {
    datasets,
    data: await identifyData(datasets),
    pretrained,
    recipe,
    folder,
    // trainings by another recipe are none of the comparison's
    comparisonFolder: isLabs && !isSynthetic ? join(defaultRunsFolder(), "compare") : folder,
    session: await describeSession(runtime),
    signal: interrupts.signal,
    observer: observe(live, progress),
  };
  let started = performance.now();
  try {
    const result = await runStudy(study, context, {
      seeds,
      onUnit({ name: unit }, done, all, measured) {
        progress.done = done;
        const seconds = (performance.now() - started) / 1000;
        if (measured) live.print(`${done} of ${all}: ${unit}, ${seconds.toFixed(0)} s`);
        started = performance.now();
      },
    });
    live.clear();
    if (result === null) {
      return printMessage(
        "Other processes measure the units that are left: start the command again for the result.",
      );
    }
    print(values.json ? JSON.stringify(result) : formatStudy(study, result));
    if (!values.publish) return;
    writeStudy(study, result);
    printMessage(`Written to ${showPath(join(publishedResultsFolder(), `${study.name}.json`))} and .md.`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted("Stopped; everything is saved. Run the same command again to resume.");
  } finally {
    live.clear();
  }
}

async function describeSession(
  { device, threads, version: tensorflow }: Awaited<ReturnType<typeof useNativeTensorFlow>>,
): Promise<StudyContext["session"]> {
  const [commit, machine] = [await readCommit(), await describeMachine(device)];
  return { date: new Date().toISOString(), commit, machine, device, threads, jobs: 1, tensorflow };
}

/** Shows on the live line which part is measured, and the training within it. */
function observe(live: Live, progress: { done: number; all: number }): TrainObserver {
  let run = "";
  return {
    onStart: (info) => run = info.run,
    onStep({ epoch, step, steps, accuracy }) {
      const parts = [
        { text: `${progress.done} of ${progress.all} done`, rank: 0 },
        { text: `${run}: epoch ${epoch}`, rank: 1 },
        { text: accuracy === null ? "" : `${(100 * accuracy).toFixed(1)} %`, rank: 2 },
      ];
      live.draw(({ columns }) =>
        fitLine(parts, { done: step / steps, color: live.color, before: 2 }, columns)
      );
    },
    onMessage: live.print,
  };
}

function describeStudies(): string {
  return formatTable({
    header: ["study", "question", "seeds"],
    rows: STUDIES.map(({ name, about, seeds }) => [name, about, seeds]),
    prose: 1,
  });
}

if (import.meta.main) await runCommand(COMMAND, main);
