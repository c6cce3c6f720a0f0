import assert from "node:assert/strict";
import { basename, join } from "@std/path";
import {
  kernelSources,
  packagePath,
  tensorflowFolder,
} from "../../../lib/tensorflow/runtime/installation.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { PROJECT } from "../../testing/sources.ts";

const DRIVER = join(PROJECT, "tests", "tensorflow", "kernels", "sanitize.cc");
/** Sources that are nothing but calls of TensorFlow. */
const ONLY_TENSORFLOW = ["register.cc", "shape_check.cc"];
/** Kinds of processors that the loops over vectors are compiled for, as set-up does. */
const KINDS: Record<string, string[]> = { Baseline: [] };
const ALL_KINDS: Record<string, string[]> = Deno.build.arch === "x86_64"
  ? { ...KINDS, Avx2: ["-march=haswell"], Avx512: ["-march=skylake-avx512"] }
  : KINDS;

async function run(command: string[]): Promise<{ success: boolean; text: string }> {
  const [program, ...args] = command;
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
    return { success, text: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
  } catch (error) {
    return { success: false, text: String(error) };
  }
}

/** The first of set-up's compilers whose programs run with these sanitizers. */
async function findCompiler(sanitizers: string): Promise<string[] | undefined> {
  using folder = temporaryFolder();
  const [source, program] = [join(folder.path, "empty.cc"), join(folder.path, "empty")];
  Deno.writeTextFileSync(source, "int main() { return 0; }");
  const own = (Deno.env.get("CXX") ?? "").split(" ").filter((word) => word !== "");
  for (const compiler of [own, ["g++"], ["clang++"]].filter((words) => words.length > 0)) {
    const { success } = await run([
      ...compiler,
      `-fsanitize=${sanitizers}`,
      source,
      "-no-pie",
      "-o",
      program,
    ]);
    if (success && (await run([program])).success) return compiler;
  }
  return undefined;
}

/** Compiles the operations and the driver without optimisation, which takes longer than to run them. */
async function build(compiler: string[], sanitizers: string, kinds: typeof KINDS, folder: string) {
  const flags = ["-std=c++17", "-O0", "-g", `-fsanitize=${sanitizers}`, "-fno-sanitize-recover=all"];
  const standIn = join(folder, "tsl", "platform"); // as in set-up: not all of TensorFlow's packages have it
  Deno.mkdirSync(standIn, { recursive: true });
  Deno.writeTextFileSync(join(standIn, "platform.h"), "#define IS_SLIM_BUILD\n");
  const build = ["gpu", "cpu"].map((build) => join(tensorflowFolder(), build, "tensorflow", "include"));
  const headers = [packagePath("kernels"), folder, ...build].flatMap((path) => ["-I", path]);
  const many = Object.keys(kinds).length > 1 ? ["-DALL_PROCESSORS"] : [];
  const sources = kernelSources().filter((path) => path.endsWith(".cc"));
  const jobs = [DRIVER, ...sources.filter((path) => !ONLY_TENSORFLOW.includes(basename(path)))].flatMap(
    (source) =>
      source.includes("/vectors/")
        ? Object.entries(kinds).map(([kind, march]) => [source, ...march, `-DPROCESSOR=${kind}`])
        : [[source, ...headers, ...many]],
  ).map((args, at) => [...compiler, ...flags, ...args, "-c", "-o", join(folder, `${at}.o`)]);
  const objects = jobs.map((job) => job.at(-1)!), program = join(folder, "driver");
  const work = async () => {
    for (let job; (job = jobs.shift());) assert.deepEqual(await run(job), { success: true, text: "" });
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  // functions of TensorFlow that describe an operation, and are never called here, stay unresolved
  const link = ["-no-pie", "-Wl,--unresolved-symbols=ignore-all", "-o", program];
  const linked = await run([...compiler, `-fsanitize=${sanitizers}`, ...objects, ...link]);
  assert.ok(linked.success, linked.text);
  return program;
}

const CASES = [
  { sanitizers: "address,undefined", kinds: ALL_KINDS, times: 2 },
  { sanitizers: "thread", kinds: KINDS, times: 1 },
];
for (const { sanitizers, kinds, times } of CASES) {
  const compiler = await findCompiler(sanitizers);
  const lacks = compiler ? "" : " (no C++ compiler here has its library)";
  Deno.test({
    name: `the operations run cleanly under the sanitizer for ${sanitizers}${lacks}`,
    ignore: !compiler,
    fn: async () => {
      using folder = temporaryFolder();
      const program = await build(compiler!, sanitizers, kinds, folder.path);
      const threads = Math.max(2, navigator.hardwareConcurrency); // as many as processors: see placement.h
      assert.deepEqual(await run([program, String(threads), String(times), "500"]), {
        success: true,
        text: "all fine\n",
      });
    },
  });
}
