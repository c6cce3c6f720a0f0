import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { startProcess } from "../../../lib/support/processes.ts";
import { ensureJupyter } from "../../../notebooks/jupyter/jupyter.ts";
import { taskArguments } from "../../testing/command.ts";
import { PROJECT } from "../../testing/sources.ts";

const TERMINAL = fromFileUrl(new URL("../../testing/terminal.py", import.meta.url));
const RUNTIME = join(PROJECT, ".venv", "jupyter", "runtime");

/** JupyterLab, started in a pseudo-terminal by the command. */
async function openLab(port: number) {
  const { python } = await ensureJupyter();
  let said = "";
  const opened = Promise.withResolvers<string>();
  const command = [Deno.execPath(), ...taskArguments("lab")];
  const terminal = await startProcess(
    python,
    [TERMINAL, ...command, "--no-browser", "--port", String(port), "02"],
    {
      cwd: PROJECT,
      // a foreign installation: nothing of it may be read
      env: { JUPYTER_PATH: "/nowhere", JUPYTER_CONFIG_DIR: "/nowhere", PIP_INDEX_URL: "http://127.0.0.1:1" },
      input: true,
      onOutput(line) {
        said += line + "\n";
        const url = /JupyterLab: (\S+)/.exec(said)?.[1];
        if (url !== undefined && /Ctrl-C/.test(line)) opened.resolve(url);
      },
    },
  );
  terminal.ended.then(() => opened.reject(new Error(said)));
  const url = new URL(await opened.promise);
  const token = url.searchParams.get("token")!;
  const ask = async (path: string, init: RequestInit = {}) =>
    await fetch(new URL(path, url), { ...init, headers: { authorization: `token ${token}` } });
  const servers = [...Deno.readDirSync(RUNTIME)].filter(({ name }) => /^jpserver-\d+\.json$/.test(name))
    .map(({ name }) => JSON.parse(Deno.readTextFileSync(join(RUNTIME, name))));
  const { pid } = servers.find((server) => server.token === token);
  const { id } = await (await ask("/api/kernels", { method: "POST", body: '{"name":"deno"}' })).json();
  await waitUntil("the kernel has started", () => kernelsOf(id).length > 0);
  return { terminal, url, pid, kernel: id, ask };
}

async function waitUntil(what: string, isTrue: () => boolean, milliseconds = 10_000): Promise<void> {
  const start = performance.now();
  while (!isTrue()) {
    assert.ok(performance.now() - start < milliseconds, `${what} takes more than ${milliseconds} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("JupyterLab opens on a notebook for this machine only; Ctrl-C ends it and its kernels within 5 s", async () => {
  const { terminal, url, pid, kernel, ask } = await openLab(8970);
  assert.match(
    url.href,
    /^http:\/\/(127\.0\.0\.1|localhost):89\d\d\/lab\/tree\/notebooks\/02_train\.ipynb\?/,
  );
  const { kernelspecs } = await (await ask("/api/kernelspecs")).json();
  assert.equal(kernelspecs.deno.spec.language, "typescript");
  assert.equal((await fetch(new URL("/api/kernels", url))).status, 403); // without the token
  assert.equal((await ask("/api/contents/notebooks/02_train.ipynb?content=0")).status, 200);
  const environment = Deno.readTextFileSync(`/proc/${kernelsOf(kernel)[0]}/environ`);
  assert.doesNotMatch(environment, /nowhere|PIP_/);

  terminal.write("^C\n");
  await waitUntil("ending", () => !isRunning(pid) && kernelsOf(kernel).length === 0, 5000);
  assert.equal((await terminal.ended).code, 0);
});

Deno.test("a closed terminal ends JupyterLab and its kernels within 5 s", async () => {
  const { terminal, pid, kernel } = await openLab(8971);
  terminal.write("close\n");
  await waitUntil("ending", () => !isRunning(pid) && kernelsOf(kernel).length === 0, 5000);
  await terminal.ended;
});

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof TypeError) return false;
    throw error;
  }
}

/** Processes that serve a kernel's connection file. */
function kernelsOf(id: string): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name)).filter(
    (pid) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(`kernel-${id}.json`);
      } catch {
        return false; // it has ended meanwhile
      }
    },
  );
}
