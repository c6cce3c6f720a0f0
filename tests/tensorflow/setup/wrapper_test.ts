import assert from "node:assert/strict";
import { join, toFileUrl } from "@std/path";
import type { ProcessEnd } from "../../../lib/support/processes.ts";
import { findPython, makePin, makeTools, ROOT, run, writeScript } from "./machine.ts";

const ignore = Deno.build.os === "windows";
const PYTHON = findPython();
const PIP_WHEELS = PYTHON === null ? null : await findPipWheels(PYTHON);

/** Where Python, or Debian's, keeps the pip that environments get. */
async function findPipWheels(python: string): Promise<string | null> {
  const code = "import ensurepip, os; print(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled'))";
  const { stdout } = await run(python, ["-c", code], { env: {} });
  for (const folder of [stdout.trim(), "/usr/share/python-wheels"]) {
    try {
      if ([...Deno.readDirSync(folder)].some(({ name }) => /^pip-.*\.whl$/.test(name))) return folder;
    } catch { /* not in this one */ }
  }
  return null;
}

/** The wrapper alone in a folder with a space, on a machine that has only what is put into `tools`. */
interface WrapperProject extends AsyncDisposable {
  top: string;
  folder: string;
  tools: string;
  /** Calls the wrapper, from another folder. */
  call(args: string[], env?: Record<string, string>): Promise<ProcessEnd>;
}

async function makeWrapper(programs: Record<string, string> = {}): Promise<WrapperProject> {
  const top = await Deno.makeTempDir({ prefix: "wrapper " });
  const [folder, tools] = [join(top, "my project"), join(top, "bin")];
  const setup = ["venv.sh", "run_pip.py", "check_packages.py"].map((name) => `lib/tensorflow/setup/${name}`);
  const pins = ["requirements/deno.txt", "lib/tensorflow/requirements/pip.txt"];
  for (const path of ["deno", ...setup, ...pins]) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.copyFile(join(ROOT, path), join(folder, path));
  }
  await makeTools(tools, programs);
  return {
    top,
    folder,
    tools,
    call: (args, env = {}) =>
      run(join(folder, "deno"), args, { cwd: top, env: { PATH: tools, HOME: top, ...env } }),
    [Symbol.asyncDispose]: () => Deno.remove(top, { recursive: true }),
  };
}

/** A script that says it is this Deno, and otherwise its name and arguments. */
function pretendDeno(version: string, name: string): string {
  return `if [ "$*" = --version ]; then echo "deno ${version} (stable, release)"; exit; fi
printf '%s' ${name}; printf '|%s' "$@"; exit 7`;
}

Deno.test({
  name: "a recent Deno on PATH gets all arguments, and the wrapper returns its exit code",
  ignore,
}, async () => {
  await using project = await makeWrapper({ deno: pretendDeno("2.9.4", "own") });
  const { code, stdout, stderr } = await project.call(["task", "train", "a b", "", "*", "--run=$HOME", "-q"]);
  assert.equal(stdout, "own|task|train|a b||*|--run=$HOME|-q");
  assert.equal(stderr, "");
  assert.equal(code, 7);

  await writeScript(
    join(project.tools, "deno"),
    `[ "$1" != --version ] || echo deno 2.9.4; echo "$DENO_TLS_CA_STORE"`,
  );
  assert.equal((await project.call(["x"])).stdout, "mozilla,system\n", "a company's certificate is trusted");
  assert.equal((await project.call(["x"], { DENO_TLS_CA_STORE: "mozilla" })).stdout, "mozilla\n");
});

Deno.test({
  name: "Deno on PATH is used from 2.9.4 on, else the one in .venv",
  ignore,
}, async () => {
  const tries = [["2.9.3", "fetched"], ["1.46.3", "fetched"], ["2.9.10", "own"], ["2.10.0", "own"], [
    "10.0.0",
    "own",
  ]];
  for (const [version, chosen] of tries) {
    await using project = await makeWrapper({ deno: pretendDeno(version, "own") });
    await writeScript(join(project.folder, ".venv/bin/deno"), pretendDeno("2.9.8", "fetched"));
    assert.equal((await project.call(["x"])).stdout, `${chosen}|x`, version);
  }
});

Deno.test({ name: "the wrapper does not call itself as the Deno on PATH", ignore }, async () => {
  await using project = await makeWrapper();
  await Deno.symlink(join(project.folder, "deno"), join(project.tools, "deno"));
  await writeScript(join(project.folder, ".venv/bin/deno"), pretendDeno("2.9.8", "fetched"));
  assert.equal((await project.call(["x"])).stdout, "fetched|x");
  const linked = await run(join(project.tools, "deno"), ["y"], { cwd: "/", env: { PATH: project.tools } });
  assert.equal(linked.stdout, "fetched|y");
});

Deno.test({ name: "without a usable Python one line names what to install", ignore }, async () => {
  const machines: Record<string, string>[] = [{}, { python3: "exit 1" }, {
    python3: "exit 1",
    python: "exit 127",
  }];
  for (const programs of machines) {
    await using project = await makeWrapper(programs);
    const { code, stdout, stderr } = await project.call(["task", "train"]);
    assert.match(stderr, /^No Python 3\.8 or newer is here .*apt install python3-venv.*\n$/);
    assert.equal(stdout, "");
    assert.equal(code, 2);
  }
});

Deno.test({
  name: "a Deno that is whole but cannot run is not fetched again; one line says why",
  ignore: ignore || PYTHON === null,
}, async () => {
  await using project = await makeWrapper({ python3: `exec "${PYTHON}" "$@"` });
  const venv = join(project.folder, ".venv");
  await writeScript(join(venv, "bin", "python"), `exec "${PYTHON}" "$@"`);
  await Deno.writeTextFile(join(venv, "bin", "deno"), "four");
  const pins = await Deno.readTextFile(join(project.folder, "requirements/deno.txt"));
  await Deno.writeTextFile(join(venv, ".deno.txt"), `${pins}4\n`);
  const { code, stderr } = await project.call(["task"]);
  assert.match(stderr, /^Deno is in .*\.venv, but cannot run there: .*noexec.*Alpine.*\n$/);
  assert.equal(code, 2);

  await Deno.truncate(join(venv, "bin", "deno"), 3);
  const env = { PIP_NO_INDEX: "1", PIP_CONFIG_FILE: "/dev/null" };
  assert.match(
    (await project.call(["task"], env)).stderr,
    /^Fetching Deno from PyPI .*\n.*could not be fetched/s,
  );
});

Deno.test({ name: "a kind of machine without a Deno is told so", ignore }, async () => {
  await using project = await makeWrapper();
  await Deno.remove(join(project.tools, "uname"));
  await writeScript(join(project.tools, "uname"), "echo Linux armv7l");
  const { code, stderr } = await project.call(["task"]);
  assert.match(stderr, /^On Linux armv7l Deno is not fetched: install Deno 2\.9\.4 or newer from .*\n$/);
  assert.equal(code, 2);
});

Deno.test({
  name: "an incomplete environment is created again by a Python with pip but without ensurepip",
  ignore: ignore || PIP_WHEELS === null,
}, async () => {
  // Debian's python3 with python3-pip and without python3-venv
  const debian = `case "$*" in "-m venv --without-pip"*) ;; "-m venv"*) echo "no ensurepip" >&2; exit 1;; esac
exec "${PYTHON}" "$@"`;
  await using project = await makeWrapper({ python3: debian });
  await Deno.mkdir(join(project.folder, ".venv", "bin"), { recursive: true });
  await Deno.writeTextFile(join(project.folder, ".venv", ".unfinished"), "");
  await writeScript(join(project.folder, ".venv", "bin", "python"), "exit 0"); // looks well, and is not
  await writeScript(join(project.folder, ".venv", "bin", "deno"), pretendDeno("2.0.0", "running"));

  const [venv, log] = [join(project.folder, ".venv"), join(project.folder, ".tensorflow/setup.log")];
  const env = {
    PATH: project.tools,
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: toFileUrl(PIP_WHEELS!).href,
    PIP_CONFIG_FILE: "/dev/null",
  };
  const [version] = [...Deno.readDirSync(PIP_WHEELS!)].flatMap(({ name }) =>
    /^pip-([\d.]+)-/.exec(name)?.[1] ?? []
  );
  await Deno.writeTextFile(
    join(project.folder, "lib/tensorflow/requirements/pip.txt"),
    makePin(PIP_WHEELS!, "pip", version),
  );
  const made = await run("sh", [join(project.folder, "lib/tensorflow/setup/venv.sh"), venv, log], {
    cwd: project.top,
    env,
  });
  assert.deepEqual(made, { code: 0, signal: null, stdout: "", stderr: "" });
  assert.ok((await Deno.stat(join(venv, "bin", "deno"))).isFile, "Deno, which may be running, stays");
  const moved = join(project.top, "moved");
  await Deno.rename(project.folder, moved);
  const pip = await run(join(moved, ".venv/bin/python"), ["-m", "pip", "--version"], { env });
  assert.match(pip.stdout, /^pip .*moved\/\.venv/);

  const { code, stdout, stderr } = await run(join(moved, "deno"), ["task"], { env });
  assert.match(
    stderr,
    /\nDeno could not be fetched from PyPI: the reason is at the end of .*setup\.log\. .*\n$/,
  );
  assert.equal(stdout, "");
  assert.equal(code, 2);
});
