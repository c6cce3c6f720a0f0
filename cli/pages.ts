import { join } from "@std/path";
import { markdownTable } from "markdown-table";
import { summariseResult } from "../bench/report.ts";
import type { BenchResult } from "../bench/run_bench.ts";
import { writeText } from "../lib/support/write_files.ts";
import { formatCount, formatPercent } from "../lib/support/format.ts";
import { readClassVectors } from "../lib/analysis/class_vectors.ts";
import { CLASS_NAMES, IMAGE_BYTES } from "../lib/data/dataset.ts";
import { compareResults } from "../lib/experiments/comparison.ts";
import { formatDifference, formatMean, formatStaleness } from "../lib/experiments/markdown.ts";
import { formatMachine } from "../lib/experiments/provenance.ts";
import { type ExperimentResult, readResults } from "../lib/experiments/results.ts";
import { findStaleness } from "../lib/experiments/staleness.ts";
import { networkDiagram } from "../lib/figures/network_diagram.ts";
import { InputError } from "../lib/support/errors.ts";
import { summarise } from "../lib/model/summary.ts";
import { classify, findModel } from "../lib/prediction/classify.ts";
import { drawMapsFigure } from "../lib/prediction/maps_figure.ts";
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
    "Updates the README's tables and pictures from the committed results, the published model and CIFAR-10, and config.schema.json from the options.",
  options: {},
} satisfies Command;

async function main(): Promise<void> {
  const results = readResults();
  for (const found of await findStaleness(results)) printMessage(formatStaleness(found));
  replaceInReadme("results", formatResults(results));
  replaceInReadme("bench", formatBench(readBench()));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", "README.md"], cwd: projectFolder() })
    .output();
  write("config.schema.json", JSON.stringify(configSchema(), null, 2) + "\n");
  await drawPictures();
}

/** Formats the comparison in short; all of it is in notebooks/results. */
function formatResults(results: ExperimentResult[]): string {
  if (results.length === 0) return "";
  const header = ["", "change", "trainable parameters", "test accuracy, %", "difference, points"];
  const rows = compareResults(results).map((row) => [
    `\`${row.experiment}\``,
    row.change,
    formatCount(row.trainableParameters),
    formatMean(row.final),
    row.difference === null ? "" : formatDifference(row.difference),
  ]);
  const [{ data, weights, seeds: [{ sessions: [{ machine, date }] }] }] = results;
  const note = [
    "Mean ± standard deviation over seeds after the last of 12 epochs; paired differences from `dynamic` with their",
    `95 % intervals. Data: ${data.name}, not the official bytes. Backbone: ${weights}. ${date.slice(0, 10)},`,
    `${formatMachine(machine)}. [Everything else](notebooks/results/comparison.md).`,
  ].join(" ");
  return `${markdownTable([header, ...rows])}\n\n${note}`;
}

/** Reads the newest complete result of the bench; null without one. */
function readBench(): BenchResult | null {
  const folder = join(projectFolder(), "bench", "results");
  const all = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".json"))
    .map(({ name }): BenchResult => JSON.parse(Deno.readTextFileSync(join(folder, name))));
  return all.filter(({ columns }) => columns.some(({ id }) => id === "epoch"))
    .sort((one, other) => one.date < other.date ? 1 : -1)[0] ?? null;
}

/**
 * Formats our times beside PyTorch's best row of each column and plain TensorFlow.js; memory apart, since
 * there less is better.
 */
function formatBench(bench: BenchResult | null): string {
  if (bench === null) return "";
  const { columns, machine, own, pytorch, date, settings } = bench;
  const table = (name: string, isMemory: boolean) =>
    markdownTable([
      ["", "plain TensorFlow.js", "PyTorch at its best", "ours", name],
      ...summariseResult(columns.filter(({ unit }) => (unit === "MB") === isMemory)).rows
        .map((row) => [...row.slice(0, -1), `${row.at(-1)} ×`]),
    ]);
  const note = [
    `Medians of ${settings.rounds} interleaved rounds, ${date.slice(0, 10)}, ${formatMachine(machine)};`,
    `TensorFlow ${own?.tensorflow}, PyTorch ${pytorch?.torch}; batch ${settings.batchSize}, float32.`,
    ...bench.warning === null ? [] : ["The machine was not idle."],
    "[Method](bench/README.md), [all results](bench/results).",
  ].join(" ");
  return [table("speed-up", false), table("ours / PyTorch", true), note].join("\n\n");
}

/** Draws response maps and network with the first test image that the published model predicts correctly. */
async function drawPictures(): Promise<void> {
  await setUpTensorFlow({ device: "cpu" });
  await useNativeTensorFlow({ device: "cpu" });
  const { config, progress, loadNetwork } = await openCheckpoint(findModel(null));
  const { test } = await loadDatasetsWithBar(null);
  if (test.name === "synthetic") {
    throw new InputError({
      what: "draw the README's pictures",
      why: "they show CIFAR-10, and only synthetic images are at hand",
      next: [{ advice: "give the folder of CIFAR-10 by CIFAR10_DIR" }],
    });
  }
  const network = loadNetwork();
  const { filters, embeddings } = await readClassVectors(network, config);
  for (const [index, trueClass] of test.labels.entries()) {
    const pixels = test.images.slice(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES);
    const [prediction] = await classify(network, [pixels], config);
    if (prediction.predictedClass !== trueClass) continue;
    const { accuracy, epoch } = progress.best!;
    const subtitle =
      `The first test image that the published model predicts correctly (seed ${config.seed}, epoch ${epoch}, ` +
      `accuracy ${formatPercent(accuracy, 2)}). Data: ${test.name}.`;
    const picture = { pixels, label: "image", prediction, trueClass };
    write("docs/response_maps.svg", drawMapsFigure([picture], { title: "Ten response maps", subtitle }).svg);
    const layers = summarise(config).layers.map((layer) => ({ ...layer, trainable: layer.trainable > 0 }));
    const example = { image: pixels, ...prediction, filters, embeddings: embeddings ?? undefined };
    write("docs/network.svg", networkDiagram(layers, { classNames: CLASS_NAMES, example }).svg);
    return;
  }
}

/** Replaces the text between `<!-- name: begin -->` and `<!-- name: end -->`. */
function replaceInReadme(name: string, content: string): void {
  const readme = Deno.readTextFileSync(join(projectFolder(), "README.md"));
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [readme.indexOf(begin) + begin.length, readme.indexOf(end)];
  write("README.md", `${readme.slice(0, from)}\n\n${content}\n\n${readme.slice(to)}`);
}

function write(path: string, text: string): void {
  writeText(join(projectFolder(), path), text);
  printMessage(`Wrote ${path}.`);
}

if (import.meta.main) await runCommand(COMMAND, main);
