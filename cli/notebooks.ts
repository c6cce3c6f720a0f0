import { basename, join } from "@std/path";
import { writeFileAtomically } from "../lib/atomic_file.ts";
import { InputError } from "../lib/input_error.ts";
import { watchInterrupts } from "../lib/interrupt.ts";
import { checkCells } from "../lib/notebooks/check_cells.ts";
import { CellError, executeNotebook } from "../lib/notebooks/execute.ts";
import { ensureJupyter, type Jupyter } from "../lib/notebooks/jupyter.ts";
import { listNotebooks } from "../lib/notebooks/list_notebooks.ts";
import { cleanOutputs, formatNotebook, type Replacement } from "../lib/notebooks/notebook_file.ts";
import { projectFolder } from "../lib/tensorflow/runtime.ts";
import { runCommand } from "./command.ts";
import { createLiveLine, type LiveLine } from "./live_line.ts";
import { type Command, parseCommandLine } from "./options.ts";
import { setUpTensorFlow, withLiveReporter } from "./set_up.ts";

interface NotebooksOptions {
  quick: boolean;
  into: string | null;
  check: boolean;
}

const COMMAND: Command<NotebooksOptions> = {
  name: "deno task notebooks",
  summary:
    "Executes the notebooks from top to bottom, each in a fresh kernel, and keeps their outputs in them. A cell that fails ends it, " +
    "and its notebook stays as it was.",
  options: {
    quick: {
      kind: "boolean",
      default: false,
      group: "What",
      help: "try the machinery on drawn shapes, offline, in seconds; the notebooks stay as they are",
    },
    into: {
      kind: "string",
      default: null,
      group: "What",
      help: "write the executed notebooks to FOLDER, not to notebooks/",
      value: "FOLDER",
    },
    check: { kind: "boolean", default: false, group: "What", help: "only type-check the code cells" },
  },
  positionals: { name: "NN…", help: "which notebooks, by their numbers; all without any", from: 0, to: 99 },
  examples: [
    ["deno task notebooks", "all of them, on CIFAR-10"],
    ["deno task notebooks 02 03", "two of them"],
    ["deno task notebooks --quick", "does everything run?"],
  ],
};

async function main(args: string[]): Promise<void> {
  const { values: { quick, into, check }, positionals } = parseCommandLine(COMMAND, args);
  const paths = listNotebooks(positionals);
  if (check) return await checkAll(paths);
  await setUpTensorFlow();
  const jupyter = await withLiveReporter((reporter) => ensureJupyter({ reporter }));
  const scratch = quick ? await Deno.makeTempDir({ prefix: "notebooks-" }) : null;
  try {
    const folder = into ?? (scratch ?? join(projectFolder(), "notebooks"));
    await executeAll(paths, folder, jupyter, scratch);
  } finally {
    if (scratch !== null) await Deno.remove(scratch, { recursive: true });
  }
}

async function checkAll(paths: readonly string[]): Promise<void> {
  const report = await checkCells(paths);
  if (report === "") return console.log(`The code of ${paths.length} notebooks type-checks.`);
  console.error(report.trimEnd());
  throw new InputError("The notebooks' code does not type-check: see above.");
}

/** @param scratch Where a quick trial keeps its trainings; null for no trial. */
async function executeAll(
  paths: readonly string[],
  folder: string,
  jupyter: Jupyter,
  scratch: string | null,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const env: Record<string, string> = scratch === null
    ? {}
    : { NOTEBOOK_QUICK: "1", CHECKPOINTS_DIR: join(scratch, "checkpoints") };
  using interrupts = watchInterrupts();
  for (const path of paths) {
    const name = basename(path);
    const line = createLiveLine();
    const start = performance.now();
    try {
      const executed = await executeNotebook(path, {
        jupyter,
        env,
        signal: interrupts.signal,
        onCell: (number, all) => tellCell(line, name, number, all),
      });
      const cleaned = cleanOutputs(executed, path, listReplacements(scratch));
      writeFileAtomically(join(folder, name), new TextEncoder().encode(formatNotebook(cleaned)));
    } catch (error) {
      line.clear();
      if (error instanceof CellError && error.trace !== "") console.error(error.trace.trimEnd());
      throw error;
    }
    line.clear();
    console.log(`${name}: executed in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
}

function tellCell(line: LiveLine, name: string, number: number, all: number): void {
  line.draw((columns) => `${name}: cell ${number} of ${all}`.slice(0, columns), { now: true });
}

/** Folders of this machine that an output may name, and what the reader is shown instead. */
function listReplacements(scratch: string | null): Replacement[] {
  const named = ["CIFAR10_DIR", "RESNET18_WEIGHTS", "CHECKPOINTS_DIR", "NOTEBOOK_RESULTS"]
    .flatMap((name): Replacement[] => {
      const value = Deno.env.get(name);
      return value?.includes("/") ? [[value, `$${name}`]] : [];
    });
  const home = Deno.env.get("HOME");
  return [
    [`file://${projectFolder()}`, "."],
    [projectFolder(), "."],
    ...named,
    ...(scratch === null ? [] : [[scratch, "."] as Replacement]),
    ...(home === undefined || home === "/" ? [] : [[home, "~"] as Replacement]),
  ];
}

if (import.meta.main) await runCommand(main);
