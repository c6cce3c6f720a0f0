import { join, relative } from "@std/path";
import type { InputError } from "../../support/errors.ts";
import {
  addonPath,
  addonStamp,
  packageFolder,
  type RuntimeBuild,
  runtimeFolder,
  tensorflowFolder,
} from "../runtime/runtime.ts";
import { type Compiler, findCompilers, INSTALL_COMPILER } from "./compiler.ts";
import { explainFailure } from "./failure.ts";
import { compileKernels } from "./kernels.ts";
import { linkArguments, type Target } from "./linking.ts";
import { type ProgramResult, runProgram } from "./program.ts";
import { withProgress } from "./reporter.ts";
import { replaceFolder, type Workplace } from "./workplace.ts";

const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/**
 * Compiles the npm package's addon from the sources that the package brings, and this project's own operations; keeps them in
 * `.tensorflow/addon`, and puts the addon where the package looks.
 *
 * @param build The installed TensorFlow to take the headers from; they are the same in both builds.
 * @throws {InputError} If no compiler can.
 */
export async function buildAddon(build: RuntimeBuild, place: Workplace): Promise<void> {
  const { project, reporter, staging } = place;
  reporter.line("Compiling the addon that connects TensorFlow to Deno (once) …");
  const folder = join(staging, "addon");
  await Deno.mkdir(folder);
  let failure: InputError | undefined;
  for await (const compiler of findCompilers(place)) {
    const { outcome, output } = await withProgress(
      reporter,
      () => compiler.name,
      () => compileBoth(compiler, build, folder, place),
    );
    if (outcome === "done") {
      await Deno.writeTextFile(join(folder, "stamp.txt"), addonStamp(project));
      await replaceFolder(folder, join(tensorflowFolder(project), "addon"), place);
      return await placeAddon(project);
    }
    failure = explainFailure(
      `The addon could not be compiled with ${compiler.name}`,
      output,
      place,
      INSTALL_COMPILER,
    );
  }
  throw failure!;
}

/** Copies the addon into the npm package, by a rename: files there may be shared with Deno's cache, and one in use must stay whole. */
export async function placeAddon(project: string): Promise<void> {
  const path = addonPath(project);
  const temporary = `${path}.${Deno.pid}`;
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await Deno.copyFile(join(tensorflowFolder(project), "addon", "tfjs_binding.node"), temporary);
  await Deno.rename(temporary, path);
}

async function compileBoth(
  compiler: Compiler,
  build: RuntimeBuild,
  folder: string,
  place: Workplace,
): Promise<ProgramResult> {
  const libraries = await makeStandIns(compiler, join(place.staging, "stand_ins"), place);
  const addon = { build, libraries, output: join(folder, "tfjs_binding.node") };
  const result = await compileAddon(compiler, addon, place);
  if (result.outcome !== "done") return result;
  return await compileKernels(compiler, { build, libraries, output: join(folder, "kernels.so") }, place);
}

async function compileAddon(compiler: Compiler, target: Target, place: Workplace) {
  const { project } = place;
  const sources = join(packageFolder(project), "binding");
  const headers = [
    join(project, "node_modules", "node-api-headers", "include"),
    join(runtimeFolder(target.build, project), "tensorflow", "include"),
  ];
  const flags = ["-std=c++17", "-O2", "-fPIC", "-DNAPI_VERSION=8"];
  const args = [
    ...flags,
    ...headers.flatMap((folder) => ["-I", folder]),
    join(sources, "tfjs_backend.cc"),
    join(sources, "tfjs_binding.cc"),
    ...linkArguments(target, await findTensorflow(project)),
  ];
  return await runProgram({ ...compiler, args: [...compiler.args, ...args] }, place);
}

/** Where `.tensorflow` lies, from the addon's folder. */
async function findTensorflow(project: string): Promise<string> {
  // the package's folder in node_modules is a link, and ".." leads out of where it points to
  const addonFolder = join(await Deno.realPath(packageFolder(project)), "lib", "napi-v8");
  return relative(addonFolder, await Deno.realPath(tensorflowFolder(project)));
}

/**
 * Empty libraries of TensorFlow's names to link against: a linker takes seconds to read the real ones (a gigabyte), and needs only the
 * names. The loader finds what is in them.
 */
async function makeStandIns(compiler: Compiler, folder: string, place: Workplace): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true });
  const source = join(folder, "empty.cc");
  await Deno.writeTextFile(source, "");
  const paths = LIBRARIES.map((name) => join(folder, name));
  for (const [index, path] of paths.entries()) {
    const args = ["-shared", "-fPIC", `-Wl,-soname,${LIBRARIES[index]}`, source, "-o", path];
    await runProgram({ ...compiler, args: [...compiler.args, ...args] }, place);
  }
  return paths;
}
