import { join } from "@std/path";
import { writeFileAtomically } from "../lib/support/files.ts";
import { readResults } from "../lib/experiments/results.ts";
import { InputError } from "../lib/support/errors.ts";
import { listNotebooks } from "../notebooks/jupyter/list_notebooks.ts";
import { readNotebook } from "../notebooks/jupyter/notebook_file.ts";
import { makeReport, PAPERS, reportDate } from "../notebooks/report/make_report.ts";
import { collectFiles, zipFiles } from "../notebooks/report/zip.ts";
import { ensurePythonPackages } from "../lib/tensorflow/setup/mod.ts";
import { projectFolder } from "../lib/support/project.ts";
import { runCommand } from "./shared/command.ts";
import { type Command, parseCommandLine } from "./shared/options.ts";
import { withLiveReporter } from "./shared/set_up.ts";
import { formatBytes } from "./shared/units.ts";

interface ReportCommandOptions {
  uid: string | null;
  paper: typeof PAPERS[number];
  execute: boolean;
  output: string | null;
  withCheckpoints: boolean;
}

const COMMAND: Command<ReportCommandOptions> = {
  name: "deno task report",
  summary:
    "Makes the lab's report, Lab_4_<uid>.pdf, from the notebooks and their outputs, and Lab_4_<uid>.zip with the report and all code.",
  options: {
    uid: {
      kind: "string",
      pattern: { expression: /^u\d{7}$/, words: "u and seven digits, as u1234567" },
      default: null,
      defaultText: "none: it must be given",
      group: "What",
      help: "student number",
      value: "UID",
    },
    paper: { kind: "choice", choices: PAPERS, default: "a4", group: "What", help: "paper size" },
    execute: { kind: "boolean", default: false, group: "What", help: "execute the notebooks first" },
    output: {
      kind: "string",
      default: null,
      defaultText: "the project folder",
      group: "What",
      help: "folder for both files",
      value: "FOLDER",
    },
    withCheckpoints: {
      kind: "boolean",
      default: false,
      group: "What",
      help: "add the checkpoints of all runs to the zip, not only the published model",
    },
  },
  examples: [
    ["deno task report --uid u1234567", "from the outputs that the notebooks have"],
    ["deno task report --uid u1234567 --execute", "executes the notebooks first"],
  ],
};

async function main(args: string[]): Promise<number | void> {
  const { uid, paper, execute, output, withCheckpoints } = parseCommandLine(COMMAND, args).values;
  if (uid === null) {
    throw new InputError({
      what: "make a report",
      why: "it needs your student number",
      next: [{ task: "report", set: { uid: "u1234567" } }],
    });
  }
  const { python } = await withLiveReporter((reporter) => ensurePythonPackages("report", { reporter }));
  if (execute) {
    const code = await executeNotebooks();
    if (code !== 0) return code;
  }
  const results = readResults();
  const notebooks = await Promise.all(
    listNotebooks().map(async (path) => ({ path, file: await readNotebook(path) })),
  );
  const { pdf, pages, warnings } = await makeReport({ uid, paper, notebooks, results, python });
  const folder = output ?? projectFolder();
  await Deno.mkdir(folder, { recursive: true });
  const name = `Lab_4_${uid}`;
  writeFileAtomically(join(folder, `${name}.pdf`), pdf);
  console.log(`${join(output ?? "", `${name}.pdf`)}: ${pages} pages, ${formatBytes(pdf.length)}`);

  const { paths, untracked } = await collectFiles(projectFolder(), { checkpoints: withCheckpoints });
  const entries = [...paths.map((path) => ({ path })), { path: `${name}.pdf`, bytes: pdf }];
  const zipped = await zipFiles(projectFolder(), name, entries, reportDate(results));
  writeFileAtomically(join(folder, `${name}.zip`), zipped);
  console.log(`${join(output ?? "", `${name}.zip`)}: ${entries.length} files, ${formatBytes(zipped.length)}`);

  for (const warning of warnings) console.error(`Warning on the first page: ${warning}`);
  if (untracked.length > 0) {
    const named = untracked.slice(0, 3).join(", ") + (untracked.length > 3 ? " …" : "");
    console.error(`Not in the zip because git does not track them (git add adds them): ${named}`);
  }
}

/** Runs `deno task notebooks` as a process of its own. */
async function executeNotebooks(): Promise<number> {
  const script = join(projectFolder(), "cli", "notebooks.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script],
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

if (import.meta.main) await runCommand(main);
