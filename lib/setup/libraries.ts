import { dirname, join } from "@std/path";
import {
  type RuntimeBuild,
  runtimeFolder,
  runtimeRequirements,
  runtimeStamp,
  TENSORFLOW_VERSION,
} from "../tensorflow/runtime.ts";
import { ensureVenv, installFiles } from "./pip.ts";
import { replaceFolder, type Workplace } from "./workplace.ts";

/** What is kept of the packages: the libraries, the headers of the C interface, what NVIDIA's own programs need, licences. */
const KEPT: { folder: string; files: RegExp; deep: boolean }[] = [
  {
    folder: "tensorflow",
    files: /^(libtensorflow_(cc|framework)\.so\.\d+|THIRD_PARTY_NOTICES\.txt)$/,
    deep: false,
  },
  { folder: "tensorflow/include", files: /^LICENSE$/, deep: false },
  { folder: "tensorflow/include/tensorflow/c", files: /\.h$/, deep: true },
  { folder: "tensorflow/include/tensorflow/core/platform", files: /^ctstring.*\.h$/, deep: false },
  { folder: "tensorflow/include/tsl/platform", files: /^ctstring.*\.h$/, deep: false },
  { folder: "tensorflow/include/xla/tsl/c", files: /\.h$/, deep: true },
  { folder: "nvidia", files: /^(?!.*\.(h|hpp|hxx|cuh|inl|a|py)$)/, deep: true },
];

/** Of each package's own record: name, version, licence. */
const KEPT_OF_RECORDS = /^METADATA$|licen[cs]e|notice/i;

/**
 * Installs TensorFlow's shared libraries into `.tensorflow/cpu` or `.tensorflow/gpu`, in place of those that are there.
 *
 * @throws {InputError} If they cannot be fetched.
 */
export async function installLibraries(build: RuntimeBuild, place: Workplace): Promise<void> {
  const { project, reporter, staging } = place;
  const what = `TensorFlow ${TENSORFLOW_VERSION} ${build === "gpu" ? "with CUDA" : "for the CPU"}`;
  reporter.line(`Fetching ${what} (once; ${build === "gpu" ? "several GB" : "0.3 GB"}) …`);
  const python = await ensureVenv(place);
  const packages = join(staging, "packages");
  const requirements = runtimeRequirements(build, project);
  await installFiles({ python, requirements, folder: packages, what }, place);
  const kept = join(staging, build);
  await moveKept(packages, kept);
  await Deno.writeTextFile(join(kept, "stamp.txt"), runtimeStamp(build, project));
  await replaceFolder(kept, runtimeFolder(build, project), place);
}

/** Moves the files that are needed out of the packages' folder. */
export async function moveKept(packages: string, kept: string): Promise<void> {
  await Deno.mkdir(kept, { recursive: true });
  for (const { folder, files, deep } of KEPT) await moveFiles(packages, folder, kept, files, deep);
  for await (const { name } of Deno.readDir(packages)) {
    if (name.endsWith(".dist-info")) await moveFiles(packages, name, kept, KEPT_OF_RECORDS, true);
  }
}

async function moveFiles(
  from: string,
  folder: string,
  to: string,
  files: RegExp,
  deep: boolean,
): Promise<void> {
  for (const { name, isDirectory } of await listFolder(join(from, folder))) {
    const path = join(folder, name);
    if (isDirectory) {
      if (deep) await moveFiles(from, path, to, files, deep);
    } else if (files.test(name)) {
      await Deno.mkdir(dirname(join(to, path)), { recursive: true });
      await Deno.rename(join(from, path), join(to, path));
    }
  }
}

async function listFolder(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // the CPU build has nothing of NVIDIA's
    throw error;
  }
}
