import assert from "node:assert/strict";
import { join, toFileUrl } from "@std/path";
import { exists } from "../lib/support/files.ts";
import { findPython, makePin, ROOT, run, writeWheels } from "./tensorflow/setup/machine.ts";

const PYTHON = findPython();

/** Calls `ensurePythonPackages("lab")` in a process of its own, and returns what it printed. */
async function ensureLab(
  project: string,
  wheels: string,
  settings: Record<string, string> = {},
): Promise<string> {
  const module = new URL("../lib/setup.ts", import.meta.url);
  const code = `import { ensurePythonPackages } from ${JSON.stringify(module)};
    const reporter = { line: (text) => console.log(text) };
    console.log((await ensurePythonPackages("lab", { project: ${
    JSON.stringify(project)
  }, reporter })).python);`;
  const pip = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: toFileUrl(wheels).href, PIP_CONFIG_FILE: "/dev/null" };
  const env = {
    ...Deno.env.toObject(),
    ...pip,
    ...settings,
    TENSORFLOW_FOLDER: join(project, ".tensorflow"),
  };
  const { stdout, stderr } = await run(Deno.execPath(), ["eval", "--no-check", code], { cwd: ROOT, env });
  return stdout + stderr;
}

Deno.test({
  name: "Python packages are installed only if missing, repinned or damaged",
  ignore: PYTHON === null,
}, async () => {
  const project = await Deno.makeTempDir({ prefix: "python packages " });
  const [wheels, python] = [join(project, "wheels"), join(project, ".venv/bin/python")];
  for (const number of [1, 2]) {
    await writeWheels(
      wheels,
      { [`tiny_lab-${number}.0`]: { "tiny_lab.py": `number = ${number}` } },
      "py3-none-any",
    );
  }
  await Deno.mkdir(join(project, "requirements"));
  const pin = (number: number) =>
    Deno.writeTextFile(
      join(project, "requirements/lab.txt"),
      `# ours\n${makePin(wheels, "tiny-lab", `${number}.0`)}other==1 ; python_version < "3"\n`,
    );
  const ask = async () =>
    (await run(python, ["-c", "import tiny_lab; print(tiny_lab.number)"], { env: {} })).stdout;

  await pin(1);
  await makeVenv(join(project, ".venv"));
  assert.equal(await ensureLab(project, wheels), `Fetching JupyterLab and nbconvert (once) …\n${python}\n`);
  assert.equal(await ask(), "1\n");
  assert.equal(await ensureLab(project, wheels), `${python}\n`);
  await pin(2);
  assert.match(await ensureLab(project, wheels), /^Fetching/);
  assert.equal(await ask(), "2\n");

  const file = join(await purelib(python), "tiny_lab.py");
  await Deno.truncate(file, 3);
  assert.match(await ensureLab(project, wheels), /^Fetching/);
  assert.equal(await ask(), "2\n");
  await Deno.remove(project, { recursive: true });
});

Deno.test({
  name: "the user's settings of pip cannot send packages elsewhere, but say where they come from",
  ignore: PYTHON === null,
}, async () => {
  const project = await Deno.makeTempDir({ prefix: "pip's settings " });
  const [wheels, elsewhere] = [join(project, "wheels"), join(project, "elsewhere")];
  await writeWheels(wheels, { "tiny_lab-1.0": { "tiny_lab.py": "" } }, "py3-none-any");
  await Deno.mkdir(join(project, "requirements"));
  await Deno.writeTextFile(join(project, "requirements/lab.txt"), makePin(wheels, "tiny-lab", "1.0"));
  await makeVenv(join(project, ".venv"));
  await Deno.mkdir(elsewhere);
  await Deno.writeTextFile(join(elsewhere, "pip.py"), "raise SystemExit('not this one')");
  const config = join(project, "pip.conf");
  const mirror = `no-index = 1\nfind-links = ${toFileUrl(wheels).href}`;
  await Deno.writeTextFile(
    config,
    `[global]\n${mirror}\nquiet = 3\n[install]\nroot = ${elsewhere}\nno-deps = 1\n`,
  );
  const output = await ensureLab(project, wheels, {
    ...{ PIP_NO_INDEX: "", PIP_FIND_LINKS: "", PIP_CONFIG_FILE: config },
    ...{
      PIP_TARGET: elsewhere,
      PIP_PREFIX: elsewhere,
      PIP_USER: "1",
      PIP_DRY_RUN: "1",
      PIP_PYTHON: "/bin/false",
    },
    ...{
      PIP_ONLY_BINARY: ":none:",
      PIP_REQUIRE_VIRTUALENV: "1",
      PYTHONPATH: elsewhere,
      PYTHONUSERBASE: elsewhere,
    },
  });
  const python = join(project, ".venv/bin/python");
  assert.equal(output, `Fetching JupyterLab and nbconvert (once) …\n${python}\n`);
  assert.ok(exists(join(await purelib(python), "tiny_lab.py")));
  assert.deepEqual([...Deno.readDirSync(elsewhere)].map(({ name }) => name), ["pip.py"]);
  await Deno.remove(project, { recursive: true });
});

Deno.test({
  name: "pip trusts the machine's certificates, or those that the user names",
  ignore: PYTHON === null,
}, async () => {
  const listSettings = async (env: Record<string, string>) => {
    const script = join(ROOT, "lib/tensorflow/setup/run_pip.py");
    return (await run(PYTHON!, [script, "config", "list"], { env: { PIP_CONFIG_FILE: "/dev/null", ...env } }))
      .stdout;
  };
  const file = join(ROOT, "LICENSE"); // any file
  assert.match(await listSettings({ SSL_CERT_FILE: file }), /^:env:\.cert='.*LICENSE'$/m);
  assert.match(
    await listSettings({ SSL_CERT_FILE: file, PIP_CERT: "/mine.pem" }),
    /^:env:\.cert='\/mine\.pem'$/m,
  );
  assert.doesNotMatch(await listSettings({ SSL_CERT_FILE: file, REQUESTS_CA_BUNDLE: "/mine.pem" }), /cert=/);
});

/** The folder of an environment's packages. */
async function purelib(python: string): Promise<string> {
  const args = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"];
  return (await run(python, args, { env: {} })).stdout.trim();
}

/** An environment that borrows the machine's pip: making it one of its own takes seconds. */
async function makeVenv(folder: string): Promise<void> {
  await run(PYTHON!, ["-m", "venv", "--without-pip", folder], { env: {} });
  const ask = async (python: string, code: string) =>
    (await run(python, ["-c", code], { env: {} })).stdout.trim();
  const packages = await purelib(join(folder, "bin/python"));
  const borrowed = await ask(PYTHON!, "import pathlib, pip; print(pathlib.Path(pip.__file__).parent.parent)");
  await Deno.writeTextFile(join(packages, "borrowed.pth"), borrowed);
}
