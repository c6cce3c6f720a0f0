import assert from "node:assert/strict";
import { join, toFileUrl } from "@std/path";
import { findPython, ROOT, run, writeWheels } from "./tensorflow/setup/machine.ts";

const PYTHON = findPython();

/** Calls `ensurePythonPackages("lab")` in a process of its own, and returns what it printed. */
async function ensureLab(project: string, wheels: string): Promise<string> {
  const module = new URL("../lib/setup.ts", import.meta.url);
  const code = `import { ensurePythonPackages } from ${JSON.stringify(module)};
    const reporter = { line: (text) => console.log(text) };
    console.log((await ensurePythonPackages("lab", { project: ${
    JSON.stringify(project)
  }, reporter })).python);`;
  const pip = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: toFileUrl(wheels).href, PIP_CONFIG_FILE: "/dev/null" };
  const env = { ...Deno.env.toObject(), ...pip, TENSORFLOW_FOLDER: join(project, ".tensorflow") };
  const { stdout, stderr } = await run(Deno.execPath(), ["eval", "--no-check", code], { cwd: ROOT, env });
  return stdout + stderr;
}

Deno.test({
  name: "Python packages are installed only if missing, repinned or for another Python",
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
    Deno.writeTextFile(join(project, "requirements/lab.txt"), `tiny-lab==${number}.0\n`);
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

  const stamp = join(project, ".venv", ".lab.txt");
  await Deno.writeTextFile(stamp, (await Deno.readTextFile(stamp)).replace(/^.*\n/, "/usr/bin/python3.1\n"));
  assert.match(await ensureLab(project, wheels), /^Fetching/);
  await Deno.remove(project, { recursive: true });
});

/** An environment that borrows the machine's pip: making it one of its own takes seconds. */
async function makeVenv(folder: string): Promise<void> {
  await run(PYTHON!, ["-m", "venv", "--without-pip", folder], { env: {} });
  const ask = async (python: string, code: string) =>
    (await run(python, ["-c", code], { env: {} })).stdout.trim();
  const packages = await ask(
    join(folder, "bin/python"),
    "import sysconfig; print(sysconfig.get_path('purelib'))",
  );
  const borrowed = await ask(PYTHON!, "import pathlib, pip; print(pathlib.Path(pip.__file__).parent.parent)");
  await Deno.writeTextFile(join(packages, "borrowed.pth"), borrowed);
}
