import { join } from "@std/path";
import { formatCircumstances } from "../../lib/experiments/markdown.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import type { Option } from "../../lib/support/schema.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { block, toTypst } from "./typst.ts";

/** Writes the provenance of the numbers: data, weights, recipe, options, versions, commands. */
export function writeAppendix(results: readonly ExperimentResult[]): string {
  return [
    block(
      '#counter(heading).update(0)\n#set par(justify: false)\n#set heading(numbering: "A.1")\n#show heading.where(level: 1): set text(13pt)',
    ),
    "# Provenance of the numbers",
    ...results.length === 0
      ? []
      : ["## Data, weights, recipe, machine", formatCircumstances(results).join("\n")],
    "## Options",
    "Every option of `deno task train`, named as in a configuration file, with its value in the comparison; `deno task train --help` " +
    "explains each. Network and seed vary.",
    block(`#option-table(\n${listOptions(results).map((row) => `${toTypst(row)},`).join("\n")}\n)`),
    "## Versions",
    listVersions(results),
    "## Reproducing it",
    COMMANDS,
  ].join("\n\n");
}

const COMMANDS = `\`\`\`sh
./deno task train                  # one network: sets everything up, trains, prints the test accuracy
./deno task train --validation 5000 --publish  # the published model
./deno task compare all --publish  # every experiment with its seeds: notebooks/results/
./deno task notebooks              # executes the five notebooks
./deno task report --uid u1234567  # this report, and the zip with all code
./deno task test                   # the tests
\`\`\``;

/** Options that do not belong to the recipe that all experiments share. */
const NOT_SHARED = "run seed variant backbone adapter data weights device tensorboard".split(" ");

function listOptions(results: readonly ExperimentResult[]): string[][] {
  const recipe = results[0]?.recipe as Record<string, unknown> | undefined;
  return Object.entries(TRAINING_OPTIONS as Record<string, Option>).map(([name, option]) => {
    const here = recipe === undefined || NOT_SHARED.includes(name)
      ? "–"
      : formatValue(option, recipe[name] ?? option.default ?? option.defaultText);
    return [name, here, option.defaultText ?? formatValue(option, option.default)];
  });
}

function formatValue({ nullWord = "none" }: Option, value: unknown): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value ?? nullWord);
}

/** Lists the versions of programs and packages, and of the code that trained. */
function listVersions(results: readonly ExperimentResult[]): string {
  const sessions = results.flatMap(({ seeds }) => seeds.flatMap((seed) => seed.sessions));
  const tensorflow = [...new Set(sessions.map((session) => session.tensorflow))].join(", ");
  const read = (file: string) => Deno.readTextFileSync(join(projectFolder(), file));
  const programs = ["deno", "lab", "report"].flatMap((name) =>
    [...read(`requirements/${name}.in`).matchAll(/^([\w-]+)==(\S+)/gm)].map(([, program, version]) =>
      `${program.replace("_binary", "")} ${version}`
    )
  );
  const { imports } = JSON.parse(read("deno.json")) as { imports: Record<string, string> };
  const packages = new Set(
    Object.values(imports).flatMap((specifier) => /^npm:(@?[^@]+@[\d.]+)/.exec(specifier)?.[1] ?? []),
  );
  const commits = [...new Set(sessions.map(({ commit }) => commit ?? "unknown"))];
  return [
    ...tensorflow === ""
      ? []
      : [`- TensorFlow ${tensorflow} (C library), through the addon of TensorFlow.js.`],
    `- Programs: ${programs.join(", ")}.`,
    `- Packages: ${[...packages].map((name) => `\`${name}\``).join(", ")}.`,
    ...commits.map((commit) => `- Commit of the comparison's code: \`${commit}\`.`),
  ].join("\n");
}
