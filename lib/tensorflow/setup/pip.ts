import { join } from "@std/path";
import { InputError } from "../../support/errors.ts";
import { explainFailure } from "./failure.ts";
import { runProgram } from "./program.ts";
import { withProgress } from "./reporter.ts";
import type { Workplace } from "./workplace.ts";

/** In place of settings of the user's that would send packages elsewhere than asked; mirrors and proxies stay theirs. */
const ENVIRONMENT = {
  PIP_USER: "0",
  PIP_NO_INPUT: "1",
  PIP_PROGRESS_BAR: "off",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_ROOT_USER_ACTION: "ignore",
  PYTHONUNBUFFERED: "1",
};

/** For files alone, whatever the machine's own Python is. */
const DOWNLOAD = "-m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp"
  .split(" ");

/** The newest Linux that the packages' builds are made for, and those before it. */
const PLATFORMS = ["manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014"];

/**
 * Makes `.venv` with a working pip, if it is not there.
 *
 * @returns Its Python.
 * @throws {InputError} If there is no Python that can.
 */
export async function ensureVenv(place: Workplace): Promise<string> {
  const python = join(place.project, ".venv", "bin", "python");
  const script = join(place.project, "lib", "tensorflow", "setup", "venv.sh");
  const { outcome, output } = await runProgram({ command: "sh", args: [script] }, place);
  if (outcome !== "done") throw new InputError(output.trim().split("\n").at(-1)!);
  return python;
}

/**
 * Puts files of a requirements file's packages into `folder`, without what they depend on and whatever the machine's own Python is: no
 * code of theirs is run.
 *
 * @param options.wanted Which files, by their path in the package; Python reads the expression too.
 * @param options.what What is being fetched, for a message.
 * @param options.cure What the user can do where it cannot be fetched; by default what pip's complaint suggests.
 */
export async function fetchFiles(
  options: {
    python: string;
    requirements: string;
    folder: string;
    wanted: RegExp;
    what: string;
    cure?: string;
  },
  place: Workplace,
): Promise<void> {
  const { python, requirements, folder, wanted, what, cure } = options;
  const wheels = join(place.staging, "wheels");
  const platforms = PLATFORMS.flatMap((name) => ["--platform", `${name}_${Deno.build.arch}`]);
  const download = [...DOWNLOAD, ...platforms, "--dest", wheels, "-r", requirements];
  await runPython({ python, args: download, what, cure }, place);
  const unpack = [
    join(place.project, "lib", "tensorflow", "setup", "unpack.py"),
    wheels,
    folder,
    wanted.source,
  ];
  await runPython({ python, args: unpack, what, cure }, place);
}

/** Installs a requirements file's packages, and what they depend on, into the environment of `python`. */
export async function installPackages(
  options: { python: string; requirements: string; what: string },
  place: Workplace,
): Promise<void> {
  const { python, requirements, what } = options;
  await runPython({ python, args: ["-m", "pip", "install", "-r", requirements], what }, place);
}

async function runPython(
  { python, args, what, cure }: { python: string; args: string[]; what: string; cure?: string },
  place: Workplace,
): Promise<void> {
  // pip unpacks here: the system's own folder for temporary files is often too small for several GB
  const temporary = join(place.staging, "pip");
  await Deno.mkdir(temporary, { recursive: true });
  const progress = createPipProgress(temporary);
  const program = { command: python, args, env: { ...ENVIRONMENT, TMPDIR: temporary } };
  const { outcome, output } = await withProgress(
    place.reporter,
    progress.state,
    () => runProgram(program, place, progress.read),
  );
  if (outcome !== "done") throw explainFailure(`${what} could not be installed`, output, place, cure);
}

/** Follows what pip and unpack.py print, and how much of a download lies in its temporary folder. */
export function createPipProgress(temporary: string): { read(line: string): void; state(): string } {
  let task = "asking the package index";
  let file = "";
  return {
    read(line) {
      const fetching = /^\s*(?:Downloading|Using cached) (\S+?)(?: \((.+)\))?$/.exec(line);
      if (fetching !== null) {
        file = decodeURIComponent(fetching[1].split("/").at(-1)!);
        const size = fetching[2] === undefined ? "" : ` of ${fetching[2]}`;
        task = `${file.split("-").slice(0, 2).join(" ")}:${size}`;
      } else if (/^unpacking /.test(line)) {
        [task, file] = [line, ""];
      } else if (/^Installing collected packages/.test(line)) {
        [task, file] = ["unpacking", ""];
      }
    },
    state() {
      if (file === "") return task;
      const megabytes = (sizeOfDownload(temporary, file) / 1e6).toFixed(1);
      return task.replace(": of", `: ${megabytes} of`);
    },
  };
}

function sizeOfDownload(temporary: string, file: string): number {
  for (const { name } of Deno.readDirSync(temporary)) {
    if (!name.startsWith("pip-unpack-")) continue;
    try {
      return Deno.statSync(join(temporary, name, file)).size;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return 0;
}
