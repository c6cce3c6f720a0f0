import { fromFileUrl, join, relative } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { readJsonOrNull } from "../../lib/support/files.ts";
import { Interrupted } from "../../lib/support/interrupt.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { projectFolder } from "../../lib/support/project.ts";
import type { Jupyter } from "./jupyter.ts";

export interface StartLabOptions {
  /** From {@linkcode ensureJupyter}. */
  jupyter: Jupyter;
  /** The notebook to open. */
  path: string;
  /** Port to listen on; the next free one if it is taken. */
  port: number;
  /** Aborted to end it. */
  signal: AbortSignal;
}

const SCRIPT = fromFileUrl(new URL("lab.py", import.meta.url));
const POLL_MILLISECONDS = 200;

/**
 * Starts JupyterLab in the project's environment, on this machine's loopback address only. It ends, and its
 * kernels with it, when `signal` is aborted or this process ends.
 *
 * @returns The address of the notebook, with the token that grants access; its log file, from the project's
 * folder; a promise of the end of it and its kernels.
 * @throws {InputError} If it does not start.
 * @throws {Interrupted} If it was stopped before it had started.
 */
export async function startLab({ jupyter, path, port, signal }: StartLabOptions) {
  const project = projectFolder();
  const log = join(project, ".venv", "jupyter", "lab.log");
  Deno.writeTextFileSync(log, "");
  const note = (line: string) => Deno.writeTextFileSync(log, line + "\n", { append: true });
  const token = crypto.randomUUID().replaceAll("-", "");
  const server = await startProcess(jupyter.python, [
    SCRIPT,
    "--no-browser",
    `--ServerApp.root_dir=${project}`,
    `--ServerApp.port=${port}`,
    "--ServerApp.ip=127.0.0.1",
    "--KernelManager.shutdown_wait_time=1.5", // seconds, then a kernel that does not answer is killed
    ...Deno.uid() === 0 ? ["--allow-root"] : [], // the only user of most containers
  ], {
    cwd: project,
    // other users could read the token from the command line, but not from the environment
    env: { ...jupyter.env, JUPYTER_TOKEN: token },
    extendEnv: false,
    input: true,
    onOutput: note,
    onError: note,
  });
  const stop = () => server.kill();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const ended = server.ended.finally(() => signal.removeEventListener("abort", stop));
  const address = await waitForAddress(jupyter, server.pid, token, ended);
  if (signal.aborted) {
    await ended;
    throw new Interrupted("");
  }
  if (address === null) {
    const last = Deno.readTextFileSync(log).trim().split("\n").at(-1);
    throw new InputError({ what: "start JupyterLab", why: `${last} (more in ${relative(project, log)})` });
  }
  return {
    url: `${address}lab/tree/${encodeURI(relative(project, path))}?token=${token}`,
    log: relative(project, log),
    ended,
  };
}

/** Waits for our server's own runtime file with its address; null if it ends before. */
async function waitForAddress(
  { env }: Jupyter,
  pid: number,
  token: string,
  ended: Promise<unknown>,
): Promise<string | null> {
  const path = join(env.JUPYTER_RUNTIME_DIR, `jpserver-${pid}.json`);
  let hasEnded = false;
  ended.then(() => hasEnded = true);
  while (!hasEnded) {
    const server = readJsonOrNull(path);
    if (server?.token === token) return String(server.url);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  return null;
}
