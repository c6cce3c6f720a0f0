import { basename, join, resolve } from "@std/path";
import { makeFolder } from "../lib/support/write_files.ts";
import { makeTemporaryFolder } from "../lib/support/temporary_folder.ts";
import { openCheckpoint } from "../lib/training/checkpoint.ts";
import { findCheckpoint } from "../lib/training/run_folder.ts";
import { requireShowable } from "../notebooks/cells/model_facts.ts";
import { readResults } from "../lib/experiments/results.ts";
import { choice, flag, text, textOption } from "../lib/support/schema.ts";
import { listNotebooks, readNotebook } from "../notebooks/jupyter/notebook_file.ts";
import { makeReport, PAPERS, reportDate } from "../notebooks/report/make_report.ts";
import { collectFiles, zipFiles } from "../notebooks/report/zip.ts";
import { ensurePythonPackages } from "../lib/setup.ts";
import { projectFolder } from "../lib/support/project.ts";
import { formatBytes } from "../lib/support/format.ts";
import { runCommand } from "./shared/command.ts";
import { FORCE_OPTION, requireOutputs, writeOutputs } from "./shared/outputs.ts";
import { withLiveReporter } from "./shared/load.ts";
import type { Command, CommandLine } from "./shared/options.ts";
import { print, printMessage } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task report",
  summary:
    "Makes the lab's report, Lab_4_<uid>.pdf, from the notebooks and their outputs, and Lab_4_<uid>.zip with the report and all code.",
  options: {
    uid: {
      schema: text(/^u\d{7}$/, "u and seven digits, as u1234567"),
      isRequired: true,
      help: "student number",
      value: "UID",
    },
    paper: { schema: choice(PAPERS), default: "a4", help: "paper size" },
    short: flag("6 to 8 pages: answers, their figures, the code of the tasks"),
    execute: flag("execute the notebooks first"),
    model: textOption("show this run: the notebooks are executed with it, outside notebooks/", "RUN|FILE", {
      defaultText: "the published model",
    }),
    output: textOption("folder for both files", "FOLDER", { defaultText: "the project folder" }),
    force: { ...FORCE_OPTION, group: undefined },
    withCheckpoints: flag("add the checkpoints of all runs to the zip, not only the published model"),
  },
  examples: [
    ["deno task report --uid u1234567", "from the notebooks' current outputs"],
    ["deno task report --uid u1234567 --execute", "executes the notebooks first"],
    ["deno task report --uid u1234567 --model mine", "maps and mistakes of your own run"],
  ],
} satisfies Command;

async function main({ values }: CommandLine<typeof COMMAND>): Promise<number | void> {
  const { uid, paper, short, execute, model, output, force, withCheckpoints } = values;
  const folder = output ?? projectFolder();
  makeFolder(folder);
  const [pdfPath, zipPath] = ["pdf", "zip"].map((ending) => join(folder, `Lab_4_${uid}.${ending}`));
  const files = { origin: "a report", force };
  requireOutputs([pdfPath, zipPath], files);
  const ownModel = model === null ? null : resolve(findCheckpoint(model, "best"));
  if (ownModel !== null) requireShowable(await openCheckpoint(ownModel));
  const { python } = await withLiveReporter((reporter) => ensurePythonPackages("report", { reporter }));
  using temporary = ownModel === null ? null : makeTemporaryFolder();
  if (execute || temporary !== null) {
    const code = await executeNotebooks(temporary?.path, ownModel);
    if (code !== 0) return code;
  }
  const results = readResults();
  const notebooks = listNotebooks().map((path) =>
    temporary === null ? path : join(temporary.path, basename(path))
  )
    .map((path) => ({ path, file: readNotebook(path) }));
  const { pdf, pages, warnings } = await makeReport({ uid, paper, short, notebooks, results, python });
  const name = `Lab_4_${uid}`;
  writeOutputs([{ path: pdfPath, bytes: pdf }], files);
  print(`${join(output ?? "", `${name}.pdf`)}: ${pages} pages, ${formatBytes(pdf.length)}`);

  for (const warning of warnings) printMessage(`Warning on the first page: ${warning}`);

  const tracked = await collectFiles(projectFolder(), { checkpoints: withCheckpoints });
  const paths = tracked.paths.filter((path) => path !== `${name}.pdf`);
  const shown = new Map(
    temporary === null ? [] : notebooks.map(({ path }) => [`notebooks/${basename(path)}`, path]),
  );
  const toEntry = (path: string) => {
    const own = shown.get(path);
    return { path, ...own !== undefined && { bytes: Deno.readFileSync(own) } };
  };
  const entries = [...paths.map(toEntry), { path: `${name}.pdf`, bytes: pdf }];
  const zipped = zipFiles(projectFolder(), name, entries, reportDate(results));
  writeOutputs([{ path: zipPath, bytes: zipped }], files);
  print(`${join(output ?? "", `${name}.zip`)}: ${entries.length} files, ${formatBytes(zipped.length)}`);
  tellLeftOut("because git does not track them (git add adds them)", tracked.untracked);
  tellLeftOut("because they are links, submodules or deleted", tracked.leftOut);
}

function tellLeftOut(why: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const named = paths.slice(0, 3).join(", ") + (paths.length > 3 ? ` and ${paths.length - 3} more` : "");
  printMessage(`Not in the zip ${why}: ${named}`);
}

/** Runs `deno task notebooks` as a process of its own; with a model, into a folder. */
async function executeNotebooks(folder: string | undefined, model: string | null): Promise<number> {
  const script = join(projectFolder(), "cli", "notebooks.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-prompt",
      "-P=compute",
      script,
      ...folder === undefined ? [] : ["--into", folder],
    ],
    env: model === null ? {} : { NOTEBOOK_MODEL: model },
    cwd: projectFolder(),
    stdin: "inherit",
  }).spawn();
  // Ctrl-C reaches both processes; the notebooks' task reports it
  const wait = () => {};
  Deno.addSignalListener("SIGINT", wait);
  const { code } = await child.status;
  Deno.removeSignalListener("SIGINT", wait);
  return code;
}

if (import.meta.main) await runCommand(COMMAND, main);
