import { join, toFileUrl } from "@std/path";
import {
  DENO_DIR,
  findProgram,
  findPython,
  finish,
  makeTools,
  type Outcome,
  ROOT,
  startProgram,
  type Wheels,
  writeScript,
  writeWheels,
} from "./machine.ts";

const PYTHON = findPython();
const COMPILER = findProgram("g++");

/** Whether this machine can set up a project: the tests need a pip and g++. */
export const CAN_SET_UP = PYTHON !== null && COMPILER !== null;

/** A project of which only set-up works, on a machine with few programs. */
export interface TestProject extends AsyncDisposable {
  /** The project's folder, with spaces in its path. */
  folder: string;
  /** The only folder on PATH. */
  tools: string;
  /** What a program of this machine gets. */
  env: Record<string, string>;
  /** Starts the set-up in a process of its own. */
  start(options?: Record<string, unknown>): Deno.ChildProcess;
  /** Runs the set-up to its end. */
  setUp(options?: Record<string, unknown>): Promise<Outcome>;
  /** A file's text in the project, or `null`. */
  read(path: string): Promise<string | null>;
}

/** Makes a project that is not set up, with packages to install from in place of a package index. */
export async function makeProject(): Promise<TestProject> {
  const top = await Deno.makeTempDir({ prefix: "set up " });
  const folder = join(top, "my project");
  const [tools, wheels] = [join(top, "bin"), join(top, "wheels")];
  await Deno.mkdir(join(folder, "lib", "tensorflow", "setup"), { recursive: true });
  for (const path of ["lib/tensorflow/setup/venv.sh", "lib/tensorflow/setup/unpack.py"]) {
    await Deno.copyFile(join(ROOT, path), join(folder, path));
  }
  await writeRequirements(folder, "2.21.0");
  await writePackages(folder);
  // pip comes from the machine: making an environment takes seconds
  await writeScript(join(folder, ".venv/bin/python"), `exec "${PYTHON}" "$@"`);
  await makeTools(tools, {
    "python3": `exec "${PYTHON}" "$@"`,
    "g++": `PATH="$PATH:/usr/bin:/bin" exec "${COMPILER}" "$@"`,
  });
  await writeWheels(wheels, await (packages ??= makePackages()));
  const env = {
    PATH: tools,
    HOME: top,
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: toFileUrl(wheels).href,
    PIP_CONFIG_FILE: "/dev/null",
  };
  const program = (options: Record<string, unknown>) => `
    import { ensureTensorFlow } from ${
    JSON.stringify(new URL("../../../lib/tensorflow/setup/mod.ts", import.meta.url))
  };
    import { runCommand } from ${JSON.stringify(new URL("../../../cli/shared/command.ts", import.meta.url))};
    await runCommand(async () => {
      const { build } = await ensureTensorFlow(${JSON.stringify({ project: folder, ...options })});
      console.log(build);
    });`;
  const start = (options: Record<string, unknown> = {}) =>
    startProgram(Deno.execPath(), ["eval", "--no-check", program(options)], {
      cwd: ROOT,
      env: { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: DENO_DIR },
    });
  return {
    folder,
    tools,
    env,
    start,
    setUp: (options = {}) => finish(start(options)),
    read: async (path) => {
      try {
        return await Deno.readTextFile(join(folder, path));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(top, { recursive: true }),
  };
}

/** Requirements files that ask for this release of the small packages. */
export async function writeRequirements(folder: string, version: string): Promise<void> {
  const requirements = join(folder, "lib", "tensorflow", "requirements");
  await Deno.mkdir(requirements, { recursive: true });
  await Deno.writeTextFile(
    join(requirements, "tensorflow-cpu.txt"),
    `# the CPU's\ntensorflow-cpu==${version}\n`,
  );
  const cuda = `tensorflow==${version}\nnvidia-cublas-cu12==12.8.4.1\n`;
  await Deno.writeTextFile(join(requirements, "tensorflow-gpu.txt"), cuda);
  await Deno.writeTextFile(join(requirements, "compiler.txt"), "ziglang==0.15.2\n");
}

/** The npm packages as Deno lays them out; the addon asks TensorFlow's two libraries for one number each. */
async function writePackages(folder: string): Promise<void> {
  const real = join(
    folder,
    "node_modules/.deno/@tensorflow+tfjs-node-gpu@4.22.0/node_modules/@tensorflow/tfjs-node-gpu",
  );
  await Deno.mkdir(join(real, "binding"), { recursive: true });
  await Deno.mkdir(join(folder, "node_modules/@tensorflow"), { recursive: true });
  const link = "../.deno/@tensorflow+tfjs-node-gpu@4.22.0/node_modules/@tensorflow/tfjs-node-gpu";
  await Deno.symlink(link, join(folder, "node_modules/@tensorflow/tfjs-node-gpu"));
  const source = '#include "node_api.h"\n#include "tensorflow/c/c_api.h"\n';
  await Deno.writeTextFile(
    join(real, "binding/tfjs_backend.cc"),
    `${source}int framework() { return TF_Framework(); }\n`,
  );
  const binding = `${source}int framework();\nextern "C" int answer() { return TF_Build() + framework(); }\n`;
  await Deno.writeTextFile(join(real, "binding/tfjs_binding.cc"), binding);
  await writeKernels(folder);
  const headers = join(folder, "node_modules/node-api-headers/include");
  await Deno.mkdir(headers, { recursive: true });
  await Deno.writeTextFile(join(headers, "node_api.h"), "#if NAPI_VERSION != 8\n#error\n#endif\n");
}

/** Operations that ask one of TensorFlow's libraries, and each kind of processor, for a number. */
async function writeKernels(folder: string): Promise<void> {
  const kernels = join(folder, "lib/tensorflow/kernels");
  await Deno.mkdir(join(kernels, "vectors"), { recursive: true });
  const any =
    '#include <tsl/platform/platform.h>\n#include <tensorflow/c/c_api.h>\n#include "vectors/one.h"\n' +
    'extern "C" int sum() { return TF_Build() + oneBaseline(); }\n';
  await Deno.writeTextFile(join(kernels, "any.cc"), any);
  await Deno.writeTextFile(join(kernels, "vectors/one.h"), "int oneBaseline();\n");
  const one =
    "#define JOIN(a, b) a##b\n#define NAMED(a, b) JOIN(a, b)\nint NAMED(one, PROCESSOR)() { return 100; }\n";
  await Deno.writeTextFile(join(kernels, "vectors/one.cc"), one);
}

let packages: Promise<Wheels> | undefined; // compiled once

async function makePackages(): Promise<Wheels> {
  return {
    "tensorflow_cpu-2.21.0": await makeTensorflow(1),
    "tensorflow-2.21.0": await makeTensorflow(2),
    "nvidia_cublas_cu12-12.8.4.1": {
      "nvidia/cublas/lib/libcublas.so.12": "",
      "nvidia/cublas/include/cublas.h": "",
      "nvidia/cublas/License.txt": "",
    },
  };
}

/** A package like TensorFlow's, whose libraries say `build` and 40. */
async function makeTensorflow(build: number): Promise<Wheels[string]> {
  const header = 'extern "C" int TF_Build(); extern "C" int TF_Framework();\n';
  const [cc, framework] = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
  return {
    [`tensorflow/${cc}`]: await compile(`extern "C" int TF_Build() { return ${build}; }`, cc),
    [`tensorflow/${framework}`]: await compile('extern "C" int TF_Framework() { return 40; }', framework),
    "tensorflow/include/tensorflow/c/c_api.h": header,
    "tensorflow/include/Eigen/Core": "a header nobody needs",
    "tensorflow/python/ops.py": "Python nobody needs",
    "tensorflow/THIRD_PARTY_NOTICES.txt": "licences",
  };
}

async function compile(source: string, name: string): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "a.cc"), source);
  const args = ["-shared", "-fPIC", `-Wl,-soname,${name}`, join(folder, "a.cc"), "-o", join(folder, "a.so")];
  await new Deno.Command(COMPILER!, { args }).output();
  const library = await Deno.readFile(join(folder, "a.so"));
  await Deno.remove(folder, { recursive: true });
  return library;
}
