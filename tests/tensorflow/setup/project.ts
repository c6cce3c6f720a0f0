import { join, toFileUrl } from "@std/path";
import { type ChildProcess, type ProcessEnd, startProcess } from "../../../lib/support/processes.ts";
import {
  DENO_DIR,
  findProgram,
  findPython,
  makePin,
  makeTools,
  ROOT,
  type Wheels,
  writeScript,
  writeWheels,
} from "./machine.ts";

const PYTHON = findPython();
const COMPILER = findProgram("g++");

/** Whether this machine can set up a project: the tests need a pip and g++. */
export const CAN_SET_UP = PYTHON !== null && COMPILER !== null;

/** A program's folder with a copy of the package in it, on a machine with few programs. */
export interface TestProject extends AsyncDisposable {
  /** Its path has spaces. The package is in `tensorflow`. */
  folder: string;
  /** The only folder on PATH. */
  tools: string;
  /** What a program of this machine gets. */
  env: Record<string, string>;
  /** Starts `installTensorFlow` in a process of its own. */
  start(options?: Record<string, unknown>): Promise<ChildProcess>;
  /** Runs `installTensorFlow` to its end, by default in `folder`. It prints the build. */
  setUp(options?: Record<string, unknown>, folder?: string): Promise<ProcessEnd>;
  /** A file's text in the project, or `null`. */
  read(path: string): Promise<string | null>;
}

/**
 * Makes a program's folder where nothing is installed, with packages to install from in place of a package
 * index.
 */
export async function makeProject(): Promise<TestProject> {
  const top = await Deno.makeTempDir({ prefix: "set up " });
  const folder = join(top, "my project");
  const [tools, wheels] = [join(top, "bin"), join(top, "wheels")];
  for (const path of listPackage()) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.copyFile(join(ROOT, "lib", path), join(folder, path));
  }
  await writeWheels(wheels, await (packages ??= makePackages()));
  await writeRequirements(folder, "2.21.0");
  await writeNpmPackages(folder);
  await writeKernels(folder);
  // pip comes from the machine: making an environment takes seconds
  await writeScript(join(folder, ".venv/bin/python"), `exec "${PYTHON}" "$@"`);
  await makeTools(tools, {
    "python3": `exec "${PYTHON}" "$@"`,
    "g++": `PATH="$PATH:/usr/bin:/bin" exec "${COMPILER}" "$@"`,
  });
  const env = {
    PATH: tools,
    HOME: top,
    PIP_NO_INDEX: "1",
    PIP_FIND_LINKS: toFileUrl(wheels).href,
    PIP_CONFIG_FILE: "/dev/null",
  };
  const start = (options: Record<string, unknown> = {}, cwd = folder) => {
    const { href } = toFileUrl(join(cwd, "tensorflow/setup/mod.ts"));
    const program = `
      import { installTensorFlow, SetupInterrupted, TensorFlowError } from ${JSON.stringify(href)};
      try {
        const { build } = await installTensorFlow(${JSON.stringify({ venv: ".venv", ...options })});
        console.log(build);
      } catch (error) {
        if (!(error instanceof TensorFlowError || error instanceof SetupInterrupted)) throw error;
        console.error((error.problem?.code ?? "interrupted") + ": " + error.message);
        Deno.exit(error.problem ? 2 : 130);
      }`;
    return startProcess(Deno.execPath(), ["eval", "--no-check", "--quiet", program], {
      cwd,
      extendEnv: false,
      env: { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: DENO_DIR },
    });
  };
  return {
    folder,
    tools,
    env,
    start,
    setUp: async (options = {}, cwd = folder) => (await start(options, cwd)).ended,
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

/** The package's files that a set-up runs. */
function listPackage(folder = "tensorflow"): string[] {
  return [...Deno.readDirSync(join(ROOT, "lib", folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return /addon|kernels|requirements/.test(name) ? [] : listPackage(path);
    return /\.(ts|sh|py|json)$/.test(name) ? [path] : [];
  });
}

/** Requirements files that ask for this release of the small packages. */
export async function writeRequirements(folder: string, version: string): Promise<void> {
  const requirements = join(folder, "tensorflow", "requirements");
  await Deno.mkdir(requirements, { recursive: true });
  const pin = (name: string, version: string) => makePin(join(folder, "../wheels"), name, version);
  await Deno.writeTextFile(
    join(requirements, "tensorflow-cpu.txt"),
    `# the CPU's\n${pin("tensorflow-cpu", version)}`,
  );
  const cuda = pin("tensorflow", version) + pin("nvidia-cublas-cu12", "12.8.4.1");
  await Deno.writeTextFile(join(requirements, "tensorflow-gpu.txt"), cuda);
  await Deno.writeTextFile(join(requirements, "compiler.txt"), pin("ziglang", "0.15.2"));
}

/**
 * Small npm packages in place of the real ones; the addon asks TensorFlow's two libraries for one number
 * each.
 */
async function writeNpmPackages(folder: string): Promise<void> {
  const source = '#include "node_api.h"\n#include "tensorflow/c/c_api.h"\n';
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "lib/tensorflow/deno.json")));
  const files = {
    "deno.json": JSON.stringify({
      nodeModulesDir: "none",
      imports: {
        ...imports,
        "@tensorflow/tfjs-node-gpu/": "./npm/tfjs-node-gpu/",
        "node-api-headers": "./npm/headers.js",
      },
    }),
    "deno.lock": await Deno.readTextFile(join(ROOT, "deno.lock")),
    "npm/tfjs-node-gpu/package.json": "{}",
    "npm/tfjs-node-gpu/binding/tfjs_backend.cc": `${source}int framework() { return TF_Framework(); }\n`,
    "npm/tfjs-node-gpu/binding/tfjs_binding.cc":
      `${source}int framework();\nextern "C" int answer() { return TF_Build() + framework(); }\n`,
    "tensorflow/addon/addon.cc": '#include "tfjs_backend.cc"\n#include "tfjs_binding.cc"\n',
    "npm/headers.js": 'export default { include_dir: import.meta.dirname + "/include" };\n',
    "npm/include/node_api.h": "#if NAPI_VERSION != 8\n#error\n#endif\n",
  };
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
}

/** Operations that ask one of TensorFlow's libraries, and each kind of processor, for a number. */
async function writeKernels(folder: string): Promise<void> {
  const kernels = join(folder, "tensorflow/kernels");
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
    "tensorflow/include/Eigen/Core": "an unneeded header",
    "tensorflow/python/ops.py": "unneeded Python",
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
