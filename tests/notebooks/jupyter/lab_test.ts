import assert from "node:assert/strict";
import { PROJECT } from "../../testing/sources.ts";
import { startCommand } from "../../testing/command.ts";
import { temporaryFolder } from "../../testing/folder.ts";

Deno.test("JupyterLab opens on a notebook with the kernel, for this machine only, and ends with Ctrl-C", async () => {
  using folder = temporaryFolder();
  const lab = startCommand("lab", ["--no-browser", "--port", "8970", "02"], folder.path);
  await lab.says(/Ctrl-C ends it/);
  const servers = Deno.readDirSync(`${PROJECT}/.venv/jupyter/runtime`).filter(({ name }) =>
    /^jpserver-\d+\.json$/.test(name)
  );
  const [{ url, token, pid }] = [...servers]
    .map(({ name }) => JSON.parse(Deno.readTextFileSync(`${PROJECT}/.venv/jupyter/runtime/${name}`)))
    .filter(({ port }) => port >= 8970);
  assert.match(url, /^http:\/\/(127\.0\.0\.1|localhost):89\d\d\//);
  const ask = async (path: string, init: RequestInit = {}) =>
    await fetch(url + path, { ...init, headers: { authorization: `token ${token}` } });
  const { kernelspecs } = await (await ask("api/kernelspecs")).json();
  assert.equal(kernelspecs.deno.spec.language, "typescript");
  assert.equal((await fetch(`${url}api/kernels`)).status, 403); // without the token nobody is let in
  assert.equal((await ask("api/contents/notebooks/02_train.ipynb?content=0")).status, 200);
  const { id } = await (await ask("api/kernels", { method: "POST", body: '{"name":"deno"}' })).json();
  assert.equal(typeof id, "string");

  lab.kill("SIGINT");
  const { code, stdout, stderr } = await lab.output;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /JupyterLab: http:\S+\/lab\/tree\/notebooks\/02_train\.ipynb\?token=\w+/);
  assert.equal(isRunning(pid), false, "the server still runs");
  assert.equal(kernelsOf(id).length, 0, "a kernel still runs");
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
