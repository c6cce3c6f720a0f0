import { join } from "@std/path";
import { formatComparison } from "../../lib/experiments/markdown.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { flagOf, type Option, showOption } from "../../lib/support/options.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { block, toTypst } from "./typst.ts";

/** Writes the provenance of the numbers: data, weights, recipe, options, versions, and the commands that reproduce them. */
export function writeAppendix(results: readonly ExperimentResult[]): string {
  return [
    block(
      '#counter(heading).update(0)\n#set par(justify: false)\n#set heading(numbering: "A.1")\n#show heading.where(level: 1): set text(13pt)',
    ),
    "# Provenance of the numbers",
    ...results.length === 0 ? [] : ["## Data, weights, recipe, machine", describeCircumstances(results)],
    "## Options",
    "Every option of `deno task train` with its value in the comparison; `deno task train --help` explains each. Network and seed vary.",
    block(`#option-table(\n${listOptions(results).map((row) => `${toTypst(row)},`).join("\n")}\n)`),
    "## Versions",
    versions(results),
    "## Reproducing it",
    COMMANDS,
  ].join("\n\n");
}

const COMMANDS = `\`\`\`sh
./deno task train                  # one network: sets everything up, trains, prints the test accuracy
./deno task compare all --publish  # every experiment with its seeds: notebooks/results/
./deno task notebooks              # executes the five notebooks
./deno task report --uid u1234567  # this report, and the zip with all code
./deno task test                   # the tests
\`\`\``;

/** What stands below the comparison's table; the table's rows are in the sections. */
function describeCircumstances(results: readonly ExperimentResult[]): string {
  return formatComparison(results).split("\n\n").slice(1).join("\n\n");
}

const NOT_OF_A_RECIPE = [
  "run",
  "seed",
  "variant",
  "backbone",
  "adapter",
  "data",
  "weights",
  "device",
  "tensorboard",
];

function listOptions(results: readonly ExperimentResult[]): string[][] {
  const recipe = results[0]?.recipe as Record<string, unknown> | undefined;
  return Object.entries(TRAINING_OPTIONS as Record<string, Option>).map(([name, option]) => {
    const usual = option.default === null && option.defaultText !== undefined
      ? option.defaultText
      : showValue(name, option, option.default);
    const here = recipe === undefined || NOT_OF_A_RECIPE.includes(name)
      ? "–"
      : showValue(name, option, recipe[name]);
    return [flagOf(name), here, usual];
  });
}

function showValue(name: string, option: Option, value: unknown): string {
  if (option.kind === "boolean") return value ? "on" : "off";
  return value === null || value === undefined
    ? option.nullWord ?? "none"
    : showOption(name, option, value).replace(/^\S+ /, "");
}

/** What the project pins, and what the results say that they were made with. */
function versions(results: readonly ExperimentResult[]): string {
  const sittings = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sittings));
  const tensorflow = [...new Set(sittings.map((sitting) => sitting.tensorflow))];
  const pinned = ["deno", "lab", "report"].map((name) => `requirements/${name}.txt`).flatMap(readPins);
  const imports = JSON.parse(Deno.readTextFileSync(join(projectFolder(), "deno.json"))).imports as Record<
    string,
    string
  >;
  const packages = Object.values(imports).filter((specifier) => specifier.startsWith("npm:"))
    .map((specifier) => specifier.slice("npm:".length));
  const code = [...new Set(sittings.map((sitting) => JSON.stringify(sitting.code)))].map((text) =>
    Object.entries(JSON.parse(text) as Record<string, string>).map(([part, hash]) => `${part} \`${hash}\``)
      .join(", ")
  );
  return [
    ...tensorflow.length === 0
      ? []
      : [`- TensorFlow ${tensorflow.join(", ")} (C library), by the addon of TensorFlow.js.`],
    `- Programs: ${pinned.join(", ")}.`,
    `- Packages: ${packages.map((text) => `\`${text}\``).join(", ")}.`,
    ...code.map((text) => `- The comparison's code, as hashes of parts of \`lib/\`: ${text}.`),
  ].join("\n");
}

function readPins(file: string): string[] {
  return Deno.readTextFileSync(join(projectFolder(), file)).split("\n")
    .flatMap((line) => /^([\w-]+)==(\S+)/.exec(line) ?? [])
    .flatMap((_, index, all) =>
      index % 3 === 0 ? [`${all[index + 1].replace("_binary", "")} ${all[index + 2]}`] : []
    );
}
