import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorFlowError } from "../errors.ts";
import { addonStamp, type Build, kernelSources, markFinished, packagePath } from "../runtime/installation.ts";
import { type Compiler, findCompilers, INSTALL_COMPILER } from "./compiler.ts";
import { replaceFolder, type SetupContext } from "./context.ts";
import { explainFailure, type ProgramResult, runProgram, withProgress } from "./program.ts";

const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Kinds of processors, and GCC's name for the first of each. The library chooses at run time. */
const PROCESSORS: Record<string, string | null> = Deno.build.arch === "x86_64"
  ? { Baseline: null, Avx2: "haswell", Avx512: "skylake-avx512" }
  : { Baseline: null };

/** Runs a compiler with these arguments. */
type Compile = (args: string[]) => Promise<ProgramResult>;

/**
 * Compiles the npm package's addon from the sources that the package brings, and this package's own
 * operations, into `addon`.
 *
 * @param build The installed TensorFlow to take the headers from; they are the same in both builds.
 * @throws {TensorFlowError} `install-failed`: no compiler succeeds.
 */
export async function buildAddon(build: Build, context: SetupContext): Promise<void> {
  const { folder, reporter, staging } = context;
  reporter.line("Compiling the addon that connects TensorFlow to Deno (once) …");
  const target = join(staging, "addon");
  await Deno.mkdir(target);
  const headers = ["-I", join(folder, build, "tensorflow", "include")];
  let failure: TensorFlowError | undefined;
  for await (const compiler of findCompilers(context)) {
    const run: Compile = (args) => runProgram({ ...compiler, args: [...compiler.args, ...args] }, context);
    const { outcome, output } = await withProgress(context, () => compiler.name, async () => {
      const link = linkArguments(await makeStandIns(run, join(staging, "stand_ins")));
      const addon = await compileAddon(run, headers, [...link, "-o", join(target, "tfjs_binding.node")]);
      if (addon.outcome !== "done") return addon;
      const objects = join(staging, "kernels");
      const linkKernels = [...link, "-o", join(target, "kernels.so")];
      return await compileKernels(run, compiler.forProcessor, headers, linkKernels, objects);
    });
    if (outcome === "done") {
      markFinished(target, addonStamp());
      return await replaceFolder(target, join(folder, "addon"), context);
    }
    const what = `compile the addon with ${compiler.name}`;
    failure = explainFailure({ what, program: "the compiler", output, advice: INSTALL_COMPILER }, context);
  }
  throw failure!;
}

async function compileAddon(run: Compile, headers: string[], link: string[]): Promise<ProgramResult> {
  const { sources, nodeHeaders } = await findNpmSources();
  return await run([
    ...["-std=c++17", "-O2", "-fPIC", "-DNAPI_VERSION=8", "-I", nodeHeaders],
    ...headers,
    ...["-I", sources],
    packagePath("addon/addon.cc"),
    ...link,
  ]);
}

/** Locates the addon's sources and Node's headers in npm packages, which Deno fetches for the imports. */
async function findNpmSources(): Promise<{ sources: string; nodeHeaders: string }> {
  await import("@tensorflow/tfjs-node-gpu/package.json", { with: { type: "json" } });
  const { default: { include_dir: nodeHeaders } } = await import("node-api-headers");
  const tfjs = dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-node-gpu/package.json")));
  const [modules] = /^.*?\/node_modules(?=\/)/.exec(tfjs) ?? [];
  if (modules !== undefined) shareFiles(modules);
  return { sources: join(tfjs, "binding"), nodeHeaders };
}

/**
 * Lets everybody who may read npm's folders read the files in them: Deno keeps the archives' modes, by which
 * a few files (google-protobuf's, which tfjs needs) are their owner's alone.
 */
function shareFiles(folder: string): void {
  for (const { name, isSymlink, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isSymlink) continue;
    const { mode, uid } = Deno.statSync(path);
    const shared = mode! | ((isDirectory ? 0o555 : 0o444) & ~Deno.umask());
    if (shared !== mode && uid === Deno.uid()) Deno.chmodSync(path, shared);
    if (isDirectory) shareFiles(path);
  }
}

/** Compiles this package's own operations: the sources in the folder `vectors` for each kind of processor. */
async function compileKernels(
  run: Compile,
  forProcessor: Compiler["forProcessor"],
  tensorflowHeaders: string[],
  link: string[],
  folder: string,
): Promise<ProgramResult> {
  const headers = ["-I", await makeStandInHeader(folder), ...tensorflowHeaders];
  const flags = ["-std=c++17", "-O3", "-fPIC"], objects: string[] = [];
  const jobs = kernelSources().filter((path) => path.endsWith(".cc")).flatMap((source) => {
    const isForEach = source.includes("/vectors/");
    return Object.entries(isForEach ? PROCESSORS : { Any: null }).map(([processor, name]) => {
      const object = join(folder, `${basename(source, ".cc")}${processor}.o`);
      objects.push(object);
      const own = isForEach ? (name === null ? [] : [forProcessor(name)]) : headers;
      return () => run([...flags, ...own, `-DPROCESSOR=${processor}`, "-c", source, "-o", object]);
    });
  });
  const failed = (await runSeveral(jobs)).find(({ outcome }) => outcome !== "done");
  if (failed) return failed;
  const keep = "-Wl,-z,nodelete"; // TensorFlow calls into it until the process ends, even after it is closed
  return await run([...objects, keep, ...link]);
}

/** Runs jobs, one per processor at a time; returns their results in order. */
async function runSeveral<T>(jobs: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    for (let at; (at = next++) < jobs.length;) results[at] = await jobs[at]();
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return results;
}

/** Links a library that looks for TensorFlow beside its own folder, CUDA's first: so both can be moved. */
function linkArguments(libraries: string[]): string[] {
  const runPaths = ["gpu", "cpu"].map((build) => `$ORIGIN/../${build}/tensorflow`);
  return [
    ...["-shared", "-s", "-Wl,--no-as-needed", ...libraries],
    ...runPaths.flatMap((path) => ["-Xlinker", "-rpath", "-Xlinker", path]),
  ];
}

/** Makes empty stub libraries to link against: reading the real ones takes seconds. */
async function makeStandIns(run: Compile, folder: string): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const source = join(folder, "empty.cc");
  await Deno.writeTextFile(source, "");
  for (const name of LIBRARIES) {
    await run(["-shared", "-fPIC", `-Wl,-soname,${name}`, source, "-o", join(folder, name)]);
  }
  return LIBRARIES.map((name) => join(folder, name));
}

/** Makes an empty header that TensorFlow's C interface includes; not all its packages have it. */
async function makeStandInHeader(folder: string): Promise<string> {
  const path = join(folder, "include", "tsl", "platform");
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeTextFile(join(path, "platform.h"), "#define IS_SLIM_BUILD\n");
  return join(folder, "include");
}
