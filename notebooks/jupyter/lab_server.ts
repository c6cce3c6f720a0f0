import { dirname, join, relative } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import { projectFolder } from "../../lib/support/project.ts";
import type { Jupyter } from "./jupyter.ts";
import { listNotebooks } from "./list_notebooks.ts";

/** Options of {@linkcode startLab}. */
export interface StartLabOptions {
  /** From {@linkcode ensureJupyter}. */
  jupyter: Jupyter;
  /** The notebook to open. */
  path: string;
  /** Where to listen; the next free port if it is taken. */
  port: number;
  /** Aborted to end it. */
  signal: AbortSignal;
}

/** A JupyterLab that runs. */
export interface LabServer {
  /** The notebook's address, with the token that lets its holder in. */
  url: string;
  /** The file that holds what it says, as a path from the project's folder. */
  log: string;
  /** Fulfilled when it has ended, and its kernels with it. */
  ended: Promise<void>;
}

const MILLISECONDS_BETWEEN_LOOKS = 200;
const MILLISECONDS_TO_END = 15_000;

/**
 * Starts JupyterLab in the project's environment. It listens on this machine only.
 *
 * @throws {InputError} If it does not start.
 * @throws {Interrupted} If it was stopped before.
 */
export async function startLab({ jupyter, path, port, signal }: StartLabOptions): Promise<LabServer> {
  const project = projectFolder();
  const log = join(project, ".venv", "jupyter", "lab.log");
  await Deno.writeTextFile(log, "");
  const token = crypto.randomUUID().replaceAll("-", "");
  const child = new Deno.Command(jupyter.python, {
    args: [
      "-m",
      "jupyterlab",
      "--no-browser",
      "--ServerApp.answer_yes=True", // to the question that Ctrl-C raises
      `--ServerApp.root_dir=${project}`,
      `--ServerApp.port=${port}`,
      "--ServerApp.ip=127.0.0.1",
      // a container's only user, as a rule
      ...(Deno.uid() === 0 ? ["--allow-root"] : []),
    ],
    cwd: project,
    // in the environment other users cannot read it, as they could on the command line
    env: { ...jupyter.env, JUPYTER_TOKEN: token },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const written = child.stderr.pipeTo(appendTo(log));
  const ended = endWith(child, written, signal);
  await trustNotebooks(jupyter, path);
  const address = await waitForAddress(
    join(jupyter.env.JUPYTER_RUNTIME_DIR, `jpserver-${child.pid}.json`),
    ended,
  );
  if (signal.aborted) {
    await ended;
    throw new Interrupted("");
  }
  if (address === null) {
    const said = (await Deno.readTextFile(log)).trim().split("\n").at(-1);
    throw new InputError(`JupyterLab did not start: ${said} (more in ${relative(project, log)}).`);
  }
  return {
    url: `${address}lab/tree/${relative(project, path)}?token=${token}`,
    log: relative(project, log),
    ended,
  };
}

/**
 * Signs the notebooks beside `path` for this project's JupyterLab alone, which else shows of their committed figures the coarser form. What
 * they say is as trustworthy as the code they call.
 */
async function trustNotebooks({ python, env }: Jupyter, path: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(python, {
    args: ["-m", "nbformat.sign", ...listNotebooks([], dirname(path))],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new InputError(`The notebooks could not be signed for JupyterLab: ${said}.`);
}

function appendTo(path: string): WritableStream<Uint8Array> {
  return new WritableStream({ write: (bytes) => Deno.writeFileSync(path, bytes, { append: true }) });
}

/** Ends the server when `signal` says so: kindly, so that it ends its kernels, then by force. */
async function endWith(child: Deno.ChildProcess, written: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    kill(child, "SIGTERM");
    timer = setTimeout(() => kill(child, "SIGKILL"), MILLISECONDS_TO_END);
  };
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  await child.status;
  signal.removeEventListener("abort", stop);
  clearTimeout(timer);
  await written;
}

function kill(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
}

/** Waits for the file in which a server says where it listens; null if the server ends before. */
async function waitForAddress(path: string, ended: Promise<void>): Promise<string | null> {
  let hasEnded = false;
  ended.then(() => hasEnded = true);
  while (!hasEnded) {
    try {
      return (JSON.parse(await Deno.readTextFile(path)) as { url: string }).url;
    } catch (error) {
      // not there yet, or half written
      if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN_LOOKS));
  }
  return null;
}
