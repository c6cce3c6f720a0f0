import { join } from "@std/path";
import { kernelSources, runtimeFolder } from "../runtime/runtime.ts";
import type { Compiler } from "./compiler.ts";
import { linkArguments, type Target } from "./linking.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import type { Workplace } from "./workplace.ts";

/**
 * Kinds of processors, and the first of each, by GCC's name: what all later ones can do. The library takes the best at run time, so it can
 * be moved.
 */
const PROCESSORS: Record<string, string | null> = Deno.build.arch === "x86_64"
  ? { Baseline: null, Avx2: "haswell", Avx512: "skylake-avx512" }
  : { Baseline: null };

const FLAGS = ["-std=c++17", "-O3", "-fPIC"];

/**
 * Compiles this project's own operations (lib/tensorflow/kernels): what is in the folder `vectors` for each kind of processor.
 */
export async function compileKernels(
  compiler: Compiler,
  target: Target,
  place: Workplace,
): Promise<ProgramResult> {
  const { project, staging } = place;
  const run = (args: string[]) => runProgram({ ...compiler, args: [...compiler.args, ...args] }, place);
  const folder = join(staging, "kernels");
  const headers = [
    "-I",
    await makeStandInHeader(folder),
    "-I",
    join(runtimeFolder(target.build, project), "tensorflow", "include"),
  ];
  const sources = kernelSources(project).filter((path) => path.endsWith(".cc"));
  const { forProcessor = (name: string) => `-march=${name}` } = compiler;
  const jobs = sources.flatMap((source) => {
    const isForEach = source.includes("/vectors/");
    return Object.entries(isForEach ? PROCESSORS : { Any: null }).map(([processor, name]) => ({
      args: [
        ...(name === null ? [] : [forProcessor(name)]),
        `-DPROCESSOR=${processor}`,
        ...(isForEach ? [] : headers),
        "-c",
        source,
      ],
      object: join(folder, `${source.replace(/^.*\//, "").replace(/\.cc$/, "")}${processor}.o`),
    }));
  });
  const compile = ({ args, object }: typeof jobs[number]) => run([...FLAGS, ...args, "-o", object]);
  for (const result of await inTurns(jobs.map((job) => () => compile(job)))) {
    if (result.outcome !== "done") return result;
  }
  const objects = jobs.map(({ object }) => object);
  const keep = "-Wl,-z,nodelete"; // TensorFlow calls into it as long as the process lives, whoever closes it
  return await run([...objects, keep, ...linkArguments(target, "..")]);
}

/** Runs jobs, as many at a time as there are processors; their results in order. */
async function inTurns<T>(jobs: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    for (let at; (at = next++) < jobs.length;) results[at] = await jobs[at]();
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
  return results;
}

/** A header that TensorFlow's C interface includes for the names of platforms, but does not need, and that its packages do not all bring. */
async function makeStandInHeader(folder: string): Promise<string> {
  const path = join(folder, "include", "tsl", "platform");
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeTextFile(join(path, "platform.h"), "#define IS_SLIM_BUILD\n");
  return join(folder, "include");
}
