import { CLASS_NAMES, countClasses } from "../lib/data/dataset.ts";
import type { LoadedDatasets } from "../lib/data/load_datasets.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { formatTable, wrapText } from "./shared/table.ts";
import { print } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task data",
  summary: "Finds or downloads CIFAR-10, checks every file and counts the images per class.",
  options: { data: { ...TRAINING_OPTIONS.data, group: undefined } },
  examples: [
    ["deno task data", "the images that training would use"],
    ["deno task data --data ~/cifar-10-batches-bin", "checks a copy"],
  ],
} satisfies Command;

const SOURCES: Record<LoadedDatasets["source"]["kind"], string> = {
  option: "given by --data",
  environment: "given by CIFAR10_DIR",
  local: "found in data/",
  download: "downloaded and unpacked",
  synthetic: "generated in memory",
};

async function main({ values }: CommandLine<typeof COMMAND>): Promise<void> {
  print(describe(await loadDatasetsWithBar(values.data)));
}

/** Describes the data set: its name and place, the images of each class by file, and the files' hashes. */
function describe({ train, test, source: { kind, path, files } }: LoadedDatasets): string {
  const parts = kind === "synthetic"
    ? [{ name: "training", labels: train.labels }, { name: "test", labels: test.labels }]
      .map(({ name, labels }) => ({ name, counts: countClasses(labels) }))
    // data_batch_1.bin → batch 1
    : files.map(({ file, counts }) => ({
      name: file.replaceAll(/^data_|\.bin$/g, "").replaceAll("_", " "),
      counts,
    }));
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const row = (name: string, counts: number[]) => [name, ...counts, sum(counts)];
  return [
    wrapText(`${train.name}\n${SOURCES[kind]}${path ? `: ${path}` : ""}`),
    "",
    formatTable({
      header: ["class", ...parts.map(({ name }) => name), "all"],
      rows: CLASS_NAMES.map((name, label) => row(name, parts.map(({ counts }) => counts[label]))),
      footer: [row("all", parts.map(({ counts }) => sum(counts)))],
    }),
    ...(files.length === 0 ? [] : [
      "",
      formatTable({
        header: ["file", "SHA-256"],
        rows: files.map(({ file, sha256 }) => [file, `${sha256.slice(0, 8)}…`]),
      }),
      "",
      wrapText("Every file is complete: its size is right, and all its labels are 0 to 9."),
    ]),
  ].join("\n");
}

if (import.meta.main) await runCommand(COMMAND, main);
