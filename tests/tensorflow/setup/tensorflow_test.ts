import assert from "node:assert/strict";
import { join } from "@std/path";
import { run, writeScript } from "./machine.ts";
import { CAN_SET_UP, makeProject, type TestProject, writeRequirements } from "./project.ts";

const ignore = !CAN_SET_UP || Deno.build.os !== "linux";

/** What the installed addon gets from the libraries it finds: 41 from the CPU build, 42 from CUDA's. */
function askAddon(folder: string): Promise<string> {
  return ask(join(folder, ".tensorflow/addon/tfjs_binding.node"), "answer");
}

/**
 * In a process of its own: this one may have loaded the real TensorFlow, whose libraries have the same names.
 */
async function ask(library: string, symbol: string): Promise<string> {
  const symbols = `{ ${symbol}: { parameters: [], result: "i32" } }`;
  const code = `console.log(Deno.dlopen(${JSON.stringify(library)}, ${symbols}).symbols.${symbol}())`;
  const { stdout, stderr } = await run(Deno.execPath(), ["eval", code], { env: {} });
  return stdout.trim() + stderr;
}

function listFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? listFiles(join(folder, name)).map((path) => `${name}/${path}`) : [name]
  ).sort();
}

function answerOfSmi(project: TestProject, script: string): Promise<void> {
  return writeScript(join(project.tools, "nvidia-smi"), script);
}

Deno.test(
  { name: "a fresh set-up keeps only needed files, and a moved project still works", ignore },
  async () => {
    await using project = await makeProject();
    const { code, stdout, stderr } = await project.setUp();
    assert.equal(stdout, "cpu\n", stderr);
    assert.equal(code, 0);
    assert.deepEqual(listFiles(join(project.folder, ".tensorflow")), [
      "addon/kernels.so",
      "addon/stamp.txt",
      "addon/tfjs_binding.node",
      "cpu/stamp.txt",
      "cpu/tensorflow/THIRD_PARTY_NOTICES.txt",
      "cpu/tensorflow/include/tensorflow/c/c_api.h",
      "cpu/tensorflow/libtensorflow_cc.so.2",
      "cpu/tensorflow/libtensorflow_framework.so.2",
      "cpu/tensorflow_cpu-2.21.0.dist-info/METADATA",
      "setup.log",
    ]);

    const log = await project.read(".tensorflow/setup.log");
    assert.deepEqual(
      await project.setUp(),
      { code: 0, signal: null, stdout: "cpu\n", stderr: "" },
      "the second has nothing to do",
    );
    assert.equal(await project.read(".tensorflow/setup.log"), log, "and does nothing");

    const moved = join(project.folder, "..", "moved: here");
    await Deno.rename(project.folder, moved);
    assert.equal(await askAddon(moved), "41");
    assert.equal(
      await ask(join(moved, ".tensorflow/addon/kernels.so"), "sum"),
      "101",
      "and so do the operations",
    );
    assert.deepEqual(await project.setUp({}, moved), { code: 0, signal: null, stdout: "cpu\n", stderr: "" });
  },
);

Deno.test(
  { name: "an available GPU selects the CUDA build, which replaces the CPU build", ignore },
  async () => {
    await using project = await makeProject();
    await answerOfSmi(project, "exit 9"); // a driver that finds none
    assert.equal((await project.setUp()).stdout, "cpu\n");

    const refused = await project.setUp({ device: "gpu" });
    assert.match(refused.stderr, /^no-gpu: Cannot compute on a GPU: no NVIDIA GPU answers here\. .*\n$/);
    assert.equal(refused.code, 2);

    await answerOfSmi(project, 'echo "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0)"');
    assert.equal((await project.setUp()).stdout, "cpu\n", "what is installed is good enough for auto");
    assert.equal((await project.setUp({ device: "gpu" })).stdout, "gpu\n");
    assert.equal(await project.read(".tensorflow/gpu/nvidia/cublas/lib/libcublas.so.12"), "");
    assert.equal(await project.read(".tensorflow/gpu/nvidia/cublas/include/cublas.h"), null);
    assert.equal(await project.read(".tensorflow/cpu/stamp.txt"), null);
    assert.equal(await askAddon(project.folder), "42");
    assert.equal(
      (await project.setUp({ device: "cpu" })).stdout,
      "gpu\n",
      "the CUDA build computes on the CPU too",
    );

    await Deno.remove(join(project.folder, ".tensorflow"), { recursive: true });
    assert.equal((await project.setUp()).stdout, "gpu\n", "auto asks where nothing is installed");
  },
);

Deno.test({ name: "changed pins reinstall, and an outdated CUDA build is removed", ignore }, async () => {
  await using project = await makeProject();
  await project.setUp({ device: "gpu", withoutGpu: true });
  await writeRequirements(project.folder, "2.99.0");
  assert.match(
    (await project.setUp({ device: "cpu" })).stderr,
    /TensorFlow.*the package index has no fitting package/,
  );
  assert.ok(await project.read(".tensorflow/gpu/stamp.txt"), "a failure leaves all as it was");

  await writeRequirements(project.folder, "2.21.0");
  const pins = join(project.folder, "tensorflow/requirements/tensorflow-gpu.txt");
  await Deno.writeTextFile(pins, "# a comment\n", { append: true });
  assert.equal((await project.setUp({ device: "cpu" })).stdout, "gpu\n", "a comment changes nothing");
  await Deno.writeTextFile(join(project.folder, ".tensorflow/gpu/stamp.txt"), "of another release");
  assert.equal((await project.setUp({ device: "cpu" })).stdout, "cpu\n");
  assert.equal(await project.read(".tensorflow/gpu/stamp.txt"), null);
});

Deno.test({ name: "files that were lost or cut are noticed and installed again", ignore }, async () => {
  await using project = await makeProject();
  await project.setUp();
  const folder = join(project.folder, ".tensorflow");
  const library = join(folder, "cpu/tensorflow/libtensorflow_framework.so.2");
  await Deno.truncate(library, 1000);
  assert.match((await project.setUp()).stderr, /^Fetching TensorFlow 2\.21\.0 for the CPU [^\n]*\n$/);
  await Deno.remove(join(folder, "addon/kernels.so"));
  assert.match((await project.setUp()).stderr, /^Compiling the addon [^\n]*\n$/);
  assert.equal(await askAddon(project.folder), "41");
});

Deno.test({ name: "a file with another hash is refused, and nothing of it installed", ignore }, async () => {
  await using project = await makeProject();
  const pins = join(project.folder, "tensorflow/requirements/tensorflow-cpu.txt");
  await Deno.writeTextFile(pins, (await Deno.readTextFile(pins)).replace(/sha256:.{9}/, "sha256:012345678"));
  const { code, stderr } = await project.setUp();
  assert.equal(code, 2);
  assert.match(stderr, /: a fetched file is not the one that was pinned\. Use another network .*\n$/);
  assert.deepEqual(listFiles(join(project.folder, ".tensorflow")), ["setup.log"]);
});

Deno.test({ name: "changed sources of the operations are recompiled", ignore }, async () => {
  await using project = await makeProject();
  await project.setUp();
  const path = join(project.folder, "tensorflow/kernels/vectors/one.cc");
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("100", "200"));
  assert.match((await project.setUp()).stderr, /^Compiling the addon/);
  assert.equal(await ask(join(project.folder, ".tensorflow/addon/kernels.so"), "sum"), "201");
});

Deno.test(
  { name: "of two concurrent set-ups one works and the other waits", ignore },
  async () => {
    await using project = await makeProject();
    const outcomes = await Promise.all([project.setUp(), project.setUp()]);
    const all = outcomes.map(({ stderr }) => stderr).join("");
    assert.deepEqual(outcomes.map(({ stdout }) => stdout), ["cpu\n", "cpu\n"]);
    assert.equal(all.match(/Waiting for another set-up/g)?.length, 1);
    assert.equal(all.match(/Fetching TensorFlow/g)?.length, 1);
  },
);

Deno.test({
  name: "a stopped set-up leaves no process and no unfinished files, and the next one succeeds",
  ignore,
}, async () => {
  await using project = await makeProject();
  const python = join(project.folder, ".venv/bin/python");
  const real = await Deno.readTextFile(python);
  const started = join(project.folder, "started");
  const finished = join(project.folder, "finished");
  const slowly = `import time; time.sleep(20); open('${finished}', 'w')`;
  await writeScript(
    python,
    `[ "$2" != download ] || { echo $$ >"${started}"; set -- -c "${slowly}"; }\n` +
      real.replace(/^#!.*\n/, ""),
  );
  const child = await project.start();
  while (await project.read("started") === null) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(
    listFiles(join(project.folder, ".tensorflow")).filter((path) => path.endsWith("stamp.txt")),
    [],
  );
  child.kill("SIGINT");
  const { code, stderr } = await child.ended;
  assert.equal(code, 130);
  assert.match(stderr, /Set-up stopped; the next run starts it again\.\n$/);
  assert.throws(() => Deno.kill(Number(Deno.readTextFileSync(started)), "SIGCONT"), "pip is gone");
  assert.equal(await project.read("finished"), null, "and did not get far");
  assert.deepEqual(listFiles(join(project.folder, ".tensorflow")), ["setup.log"]);

  // as one that was killed leaves it
  await Deno.mkdir(join(project.folder, ".tensorflow/staging-1/packages/tensorflow"), { recursive: true });
  await Deno.writeTextFile(python, real);
  assert.equal((await project.setUp()).stdout, "cpu\n");
  assert.deepEqual(
    [...Deno.readDirSync(join(project.folder, ".tensorflow"))].map(({ name }) => name).sort(),
    [
      "addon",
      "cpu",
      "setup.log",
    ],
  );
});

Deno.test(
  { name: "without any usable compiler one line gives the remedy", ignore },
  async () => {
    await using project = await makeProject();
    await writeScript(join(project.tools, "g++"), '[ "$1" = --version ]');
    await project.setUp();
    await writeScript(
      join(project.tools, "g++"),
      '[ "$1" = --version ] || { echo "no C++17 here" >&2; exit 1; }',
    );
    const { code, stderr } = await project.setUp();
    assert.equal(code, 2);
    assert.match(
      stderr,
      /\ninstall-failed: Cannot install a C\+\+ compiler \(none is here that can.*apt install g\+\+.*setup\.log\.\n$/,
    );
    assert.match((await project.read(".tensorflow/setup.log"))!, /no C\+\+17 here/);
  },
);
