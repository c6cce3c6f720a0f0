import { join } from "@std/path";
import {
  type RuntimeBuild,
  runtimeFolder,
  runtimeRequirements,
  runtimeStamp,
  TENSORFLOW_VERSION,
} from "../runtime/runtime.ts";
import { ensureVenv, fetchFiles } from "./pip.ts";
import { replaceFolder, type Workplace } from "./workplace.ts";

/** What is needed of the packages: the libraries, the headers of the C interface, all that NVIDIA's programs use, licences. */
const WANTED = [
  String.raw`^tensorflow/libtensorflow_(cc|framework)\.so\.\d+$`,
  String.raw`^tensorflow/include/tensorflow/c/.*\.h$`,
  String.raw`^tensorflow/include/(tensorflow/core|tsl)/platform/ctstring[^/]*\.h$`,
  String.raw`^tensorflow/include/xla/tsl/c/.*\.h$`,
  String.raw`^tensorflow/(THIRD_PARTY_NOTICES\.txt|include/LICENSE)$`,
  String.raw`^nvidia/(?!.*/include/)(?!.*\.(a|py)$)`,
  String.raw`^[^/]+\.dist-info/(METADATA$|.*(LICEN[CS]E|License|NOTICE))`,
];

/**
 * Installs TensorFlow's shared libraries into `.tensorflow/cpu` or `.tensorflow/gpu`, in place of those that are there.
 *
 * @throws {InputError} If they cannot be fetched.
 */
export async function installLibraries(build: RuntimeBuild, place: Workplace): Promise<void> {
  const { project, reporter, staging } = place;
  const [name, size] = build === "gpu"
    ? ["with CUDA", "3 GB, 5 on disk"]
    : ["for the CPU", "0.3 GB, 0.9 on disk"];
  const what = `TensorFlow ${TENSORFLOW_VERSION} ${name}`;
  reporter.line(`Fetching ${what} (once; ${size}) …`);
  const python = await ensureVenv(place);
  const folder = join(staging, build);
  const wanted = new RegExp(WANTED.join("|"));
  await fetchFiles(
    { python, requirements: runtimeRequirements(build, project), folder, wanted, what },
    place,
  );
  await Deno.writeTextFile(join(folder, "stamp.txt"), runtimeStamp(build, project));
  await replaceFolder(folder, runtimeFolder(build, project), place);
}
