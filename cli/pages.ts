import { join } from "@std/path";
import { markdownTable } from "markdown-table";
import { z } from "zod";
import { summariseResult } from "../bench/report.ts";
import type { BenchResult } from "../bench/run_bench.ts";
import { writeFileAtomically } from "../lib/support/write_files.ts";
import { buildPage } from "../explore/build_page.ts";
import { computeKnownFeatures, FEATURES_FILE, formatKnownFeatures } from "../explore/known_features.ts";
import { escapeMarkdown, formatCount, formatPercent } from "../lib/support/format.ts";
import { measureEvidence } from "../lib/analysis/evidence.ts";
import { CLASS_NAMES } from "../lib/data/dataset.ts";
import { compareResults } from "../lib/experiments/comparison.ts";
import { formatDifference, formatMean, formatStaleness } from "../lib/experiments/markdown.ts";
import { formatMachine } from "../lib/experiments/provenance.ts";
import { type ExperimentResult, readResults } from "../lib/experiments/results.ts";
import { STUDIES } from "../lib/experiments/studies/mod.ts";
import { readStudy } from "../lib/experiments/study_results.ts";
import { findStaleness } from "../lib/experiments/staleness.ts";
import { adaptToDark } from "../lib/figures/dark.ts";
import { networkDiagram } from "../lib/figures/network_diagram.ts";
import { responseMaps } from "../lib/figures/response_maps.ts";
import { argMax } from "../lib/support/statistics.ts";
import { makeExample } from "../notebooks/cells/network.ts";
import { SYNTHETIC_NAME } from "../lib/data/synthetic.ts";
import { InputError } from "../lib/support/errors.ts";
import { readText } from "../lib/support/files.ts";
import { integer, number, parseJson, plainText } from "../lib/support/schema.ts";
import { MACHINE } from "../lib/experiments/provenance.ts";
import { summarise } from "../lib/model/summary.ts";
import { findModel } from "../lib/prediction/classify.ts";
import { useNativeTensorFlow } from "../lib/tensorflow/runtime/native.ts";
import { projectFolder } from "../lib/support/project.ts";
import { openCheckpoint } from "../lib/training/checkpoint.ts";
import { configSchema } from "../lib/training/config.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar, setUpTensorFlow } from "./shared/load.ts";
import type { Command } from "./shared/options.ts";
import { printMessage } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task pages",
  summary:
    "Updates the README's tables and pictures and the page docs/explore.html from the committed results, the published model and CIFAR-10, and config.schema.json from the options.",
  options: {},
} satisfies Command;

async function main(): Promise<void> {
  const results = readResults();
  await refuseUnusable(results);
  const tables = {
    results: formatResults(results),
    studies: formatStudies(),
    bench: formatBench(readBench()),
  };
  const readme = Object.entries(tables).reduce(replaceTable, readText(join(projectFolder(), "README.md")));
  write("README.md", readme);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", "README.md"], cwd: projectFolder() })
    .output();
  write("config.schema.json", JSON.stringify(configSchema(), null, 2) + "\n");
  await drawPictures();
}

/** Refuses results that the README must not show; tells of missing ones and of an older recipe. */
export async function refuseUnusable(results: readonly ExperimentResult[]): Promise<void> {
  for (const found of await findStaleness(results)) {
    const sentence = formatStaleness(found);
    if (found.kind === "edited" || found.kind === "mixture") throw new InputError(sentence);
    printMessage(sentence);
  }
  const synthetic = results.find(({ data }) => data.name.startsWith(SYNTHETIC_NAME));
  if (synthetic === undefined) return;
  const why = `those of ${synthetic.experiment} were measured on synthetic images`;
  throw new InputError({ what: "print the results in the README", why });
}

/** Formats the comparison in short; all of it is in notebooks/results. */
function formatResults(results: ExperimentResult[]): string {
  if (results.length === 0) return "";
  const header = ["", "change", "trainable parameters", "test accuracy, %", "difference, points"];
  const rows = compareResults(results).map((row) => [
    `\`${row.experiment}\``,
    escapeMarkdown(row.change),
    formatCount(row.trainableParameters),
    formatMean(row.final),
    row.difference === null ? "" : formatDifference(row.difference),
  ]);
  const [{ data, weights, recipe, seeds: [{ sessions: [session] }] }] = results;
  const note = [
    `Mean ± standard deviation over n seeds after the last of ${recipe.epochs} epochs; differences from \`dynamic\``,
    `with 95 % intervals (Welch), tests adjusted by Holm's method. Data: ${escapeMarkdown(data.name)}${
      data.name === "CIFAR-10" ? "" : ", not the official bytes"
    }.`,
    `Backbone: ${escapeMarkdown(weights)}.`,
    ...session ? [`${session.date.slice(0, 10)}, ${escapeMarkdown(formatMachine(session.machine))}.`] : [],
    "[Everything else](notebooks/results/comparison.md).",
  ].join(" ");
  return `${markdownTable([header, ...rows])}\n\n${note}`;
}

/** Lists the published studies: question, and where the tables are. */
function formatStudies(): string {
  const published = STUDIES.filter((study) => readStudy(study) !== null);
  return published.map(({ name, about }) => `- ${about} [\`${name}\`](notebooks/results/${name}.md)`).join(
    "\n",
  );
}

/** Reads the newest complete result of the bench; null without one. */
function readBench(): BenchResult | null {
  const folder = join(projectFolder(), "bench", "results");
  const all = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".json"))
    .map(({ name }) => join(folder, name))
    .map((path) => parseJson(BENCH_RESULT, readText(path), path) as unknown as BenchResult);
  return all.filter(({ columns }) => columns.some(({ id }) => id === "epoch"))
    .sort((one, other) => one.date < other.date ? 1 : -1)[0] ?? null;
}

const SPREAD = z.looseObject({ median: number({ from: 0 }) });

/** The part of a bench result that is printed. */
const BENCH_RESULT = z.looseObject({
  date: z.iso.datetime(),
  machine: MACHINE,
  warning: plainText().nullable(),
  own: z.looseObject({ tensorflow: plainText(60) }).nullable(),
  pytorch: z.looseObject({ torch: plainText(60) }).nullable(),
  settings: z.looseObject({ rounds: integer({ from: 1 }), batchSize: integer({ from: 1 }) }),
  columns: z.array(z.looseObject({
    ...{ id: plainText(60), title: plainText(), unit: plainText(20), reference: plainText().nullable() },
    rows: z.array(z.looseObject({ row: plainText(), spread: SPREAD, ratio: SPREAD.nullable() })),
  })),
});

/** Formats our times beside PyTorch's best row of each column and plain TensorFlow.js; memory apart. */
function formatBench(bench: BenchResult | null): string {
  if (bench === null) return "";
  const { columns, machine, own, pytorch, date, settings } = bench;
  const table = (name: string, isMemory: boolean) =>
    markdownTable([
      ["", "plain TensorFlow.js", "PyTorch at its best", "ours", name],
      ...summariseResult(columns.filter(({ unit }) => (unit === "MB") === isMemory)).rows
        .map((row) => [...row.slice(0, -1), `${row.at(-1)} ×`].map(escapeMarkdown)),
    ]);
  const note = [
    `Medians of ${settings.rounds} interleaved rounds, ${date.slice(0, 10)}, ${
      escapeMarkdown(formatMachine(machine))
    };`,
    `TensorFlow ${own?.tensorflow}, PyTorch ${pytorch?.torch}; batch ${settings.batchSize}, float32.`,
    ...bench.warning === null ? [] : ["The machine was not idle."],
    "[Method](bench/README.md), [all results](bench/results).",
  ].join(" ");
  return [table("speed-up", false), table("ours / PyTorch", true), note].join("\n\n");
}

/** Builds the page that can be explored; draws response maps and network with the first test image that the published model predicts correctly. */
async function drawPictures(): Promise<void> {
  await setUpTensorFlow({ device: "cpu" });
  await useNativeTensorFlow({ device: "cpu" });
  const checkpoint = await openCheckpoint(findModel(null));
  const { config, progress, loadNetwork } = checkpoint;
  const { train, test } = await loadDatasetsWithBar(null);
  const what = "draw the README's pictures";
  if (progress.best === null) throw new InputError({ what, why: "the published model was never tested" });
  if (test.name === SYNTHETIC_NAME) {
    throw new InputError({
      what,
      why: "they show CIFAR-10, and only synthetic images are at hand",
      next: [{ advice: "give the folder of CIFAR-10 by CIFAR10_DIR" }],
    });
  }
  const known = formatKnownFeatures(await computeKnownFeatures(checkpoint, train));
  write(`checkpoints/published/${FEATURES_FILE}`, known);
  write("docs/explore.html", (await buildPage(checkpoint, known)).html);
  const network = loadNetwork();
  for (const [index, trueClass] of test.labels.entries()) {
    const example = await makeExample(config, network, test, index);
    if (argMax(example.scores) !== trueClass) continue;
    const { accuracy, epoch } = progress.best;
    const figure = responseMaps([{
      ...example,
      evidence: await measureEvidence(network, config, example.maps),
      trueClass,
    }], {
      classNames: CLASS_NAMES,
      width: README_WIDTH,
      title: `Ten filters look at one image (${CLASS_NAMES[trueClass]}): bright where they respond`,
      subtitle:
        "The response map of each class laid over the image, below it the evidence. The first test image that " +
        `the published model predicts correctly (seed ${config.seed}, epoch ${epoch}, accuracy ${
          formatPercent(accuracy, 2)
        } on ${config.validation === 0 ? "the test set" : "held-out images"}). Data: ${test.name}.`,
    });
    write("docs/response_maps.svg", adaptToDark(figure.svg));
    const layers = summarise(config).layers.map((layer) => ({ ...layer, trainable: layer.trainable > 0 }));
    write("docs/network.svg", adaptToDark(networkDiagram(layers, { classNames: CLASS_NAMES, example }).svg));
    return;
  }
}

/** In pixels: narrower than a page, so that the text can still be read on a telephone. */
const README_WIDTH = 600;

/** Replaces the text between `<!-- name: begin -->` and `<!-- name: end -->`. */
export function replaceTable(readme: string, [name, content]: [string, string]): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [before, rest = "", ...more] = readme.split(begin);
  const [, after, ...others] = rest.split(end);
  if (after !== undefined && more.length + others.length === 0) {
    return `${before}${begin}\n\n${content}\n\n${end}${after}`;
  }
  throw new InputError({
    what: `replace the table ${name} of README.md`,
    why: `${begin} … ${end} is not there once`,
  });
}

function write(path: string, content: string | Uint8Array<ArrayBuffer>): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  writeFileAtomically(join(projectFolder(), path), bytes);
  printMessage(`Wrote ${path}.`);
}

if (import.meta.main) await runCommand(COMMAND, main);
