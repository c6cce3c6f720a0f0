import { join } from "@std/path";
import { writeFileAtomically } from "../lib/support/files.ts";
import { readResults } from "../lib/experiments/results.ts";
import { InputError } from "../lib/support/errors.ts";
import { listNotebooks } from "../notebooks/jupyter/list_notebooks.ts";
import { readNotebook } from "../notebooks/jupyter/notebook_file.ts";
import { collectFiles } from "../notebooks/report/collect_files.ts";
import { makeReport, PAPERS, reportDate } from "../notebooks/report/make_report.ts";
import { zipFiles } from "../notebooks/report/zip_files.ts";
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
    "Makes the report of the lab, Lab_4_<uid>.pdf, of the notebooks as they are with their outputs, and Lab_4_<uid>.zip with the report " +
    "and all code.",
  options: {
    uid: {
      kind: "string",
      pattern: { expression: /^u\d{7}$/, words: "u and seven digits, as u1234567" },
      default: null,
      defaultText: "none: it must be given",
      group: "What",
      help: "whose report it is",
      value: "UID",
    },
    paper: { kind: "choice", choices: PAPERS, default: "a4", group: "What", help: "the paper's size" },
    execute: { kind: "boolean", default: false, group: "What", help: "execute the notebooks before" },
    output: {
      kind: "string",
      default: null,
      defaultText: "the project's own",
      group: "What",
      help: "the folder for both files",
      value: "FOLDER",
    },
    withCheckpoints: {
      kind: "boolean",
      default: false,
      group: "What",
      help: "zip the checkpoints of all runs too, not only the published model",
    },
  },
  examples: [
    ["deno task report --uid u1234567", "of the outputs that the notebooks have"],
    ["deno task report --uid u1234567 --execute", "executes the notebooks first"],
  ],
};

async function main(args: string[]): Promise<number | void> {
  const { uid, paper, execute, output, withCheckpoints } = parseCommandLine(COMMAND, args).values;
  if (uid === null) {
    throw new InputError(
      "Cannot make a report without knowing whose it is: write deno task report --uid u1234567.",
    );
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
  const { pdf, pages, remarks } = await makeReport({ uid, paper, notebooks, results, python });
  const folder = output ?? projectFolder();
  await Deno.mkdir(folder, { recursive: true });
  const name = `Lab_4_${uid}`;
  writeFileAtomically(join(folder, `${name}.pdf`), pdf);
  console.log(`${join(output ?? "", `${name}.pdf`)}: ${pages} pages, ${formatBytes(pdf.length)}`);

  const { paths, left } = await collectFiles(projectFolder(), { checkpoints: withCheckpoints });
  const entries = [...paths.map((path) => ({ path })), { path: `${name}.pdf`, bytes: pdf }];
  const zipped = await zipFiles(projectFolder(), name, entries, reportDate(results));
  writeFileAtomically(join(folder, `${name}.zip`), zipped);
  console.log(`${join(output ?? "", `${name}.zip`)}: ${entries.length} files, ${formatBytes(zipped.length)}`);

  for (const remark of remarks) console.error(`The first page says: ${remark}`);
  if (left.length > 0) {
    const named = left.length > 3 ? `${left.slice(0, 3).join(", ")} …` : left.join(", ");
    console.error(`Not in the zip, because git does not know them (git add adds them): ${named}`);
  }
}

/** A process of its own: `deno task notebooks` as it is. */
async function executeNotebooks(): Promise<number> {
  const script = join(projectFolder(), "cli", "notebooks.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script],
    cwd: projectFolder(),
    stdin: "inherit",
  }).spawn();
  // Ctrl-C goes to both; the notebooks' task says what became of it
  const wait = () => {};
  Deno.addSignalListener("SIGINT", wait);
  const { code } = await child.status;
  Deno.removeSignalListener("SIGINT", wait);
  return code;
}

if (import.meta.main) await runCommand(main);
