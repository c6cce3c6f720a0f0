import { CLASS_NAMES, countClasses } from "../lib/data/dataset.ts";
import type { LoadedDatasets } from "../lib/data/load_datasets.ts";
import { TRAINING_OPTIONS } from "../lib/training/options.ts";
import { runCommand } from "./shared/command.ts";
import { loadDatasetsWithBar } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { formatTable } from "./shared/table.ts";

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
  console.log(describe(await loadDatasetsWithBar(values.data)));
}

/** The data set's name and place, and a row for each file. */
function describe({ train, test, source: { kind, path, files } }: LoadedDatasets): string {
  const checks = files.map(({ file, counts, sha256 }) => ({
    file,
    counts,
    sha256: `${sha256.slice(0, 8)}…`,
  }));
  if (kind === "synthetic") {
    checks.push({ file: "training images", counts: countClasses(train.labels), sha256: "" });
    checks.push({ file: "test images", counts: countClasses(test.labels), sha256: "" });
  }
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const row = (file: string, counts: number[], last: string) => [file, sum(counts), ...counts, last];
  const all = CLASS_NAMES.map((_, label) => sum(checks.map(({ counts }) => counts[label])));
  return [
    train.name,
    `${SOURCES[kind]}${path ? `: ${path}` : ""}`,
    "",
    formatTable({
      header: [
        "",
        "images",
        ...CLASS_NAMES.map((name) => name.slice(0, 6)),
        kind === "synthetic" ? "" : "SHA-256",
      ],
      rows: checks.map(({ file, counts, sha256 }) => row(file, counts, sha256)),
      footer: [row("all", all, "")],
    }),
    ...(files.length ? ["", "Every file is whole: its size is right, and all its labels are 0 to 9."] : []),
  ].join("\n");
}

if (import.meta.main) await runCommand(COMMAND, main);
