import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import * as tf from "../../../lib/tensorflow/runtime/tf.ts";
import { nativeBackend } from "../../../lib/tensorflow/runtime/binding.ts";
import { TensorFlowError } from "../../../lib/tensorflow/errors.ts";
import { addonStamp, buildStamp, markFinished } from "../../../lib/tensorflow/runtime/installation.ts";
import { useNativeTensorFlow } from "../../../lib/tensorflow/runtime/native.ts";
import { temporaryFolder } from "../../testing/folder.ts";

Deno.test("the native runtime is opened once and reports device and version", async () => {
  const runtime = await useNativeTensorFlow({ device: "cpu" });
  assert.equal(tf.getBackend(), "tensorflow");
  assert.equal(runtime.device, "cpu");
  assert.equal(runtime.version, nativeBackend()!.binding.TF_Version);
  assert.equal(runtime.threads, Number(Deno.env.get("TF_NUM_INTRAOP_THREADS")));
  assert.deepEqual(await useNativeTensorFlow(), runtime);
  assert.deepEqual(await useNativeTensorFlow({ device: "cpu" }), runtime);
});

Deno.test("a missing GPU is an error, without fallback to the CPU", async () => {
  await useNativeTensorFlow({ device: "cpu" }); // where there is a GPU, it is hidden now
  await assert.rejects(useNativeTensorFlow({ device: "gpu" }), (error) => {
    assert.ok(error instanceof TensorFlowError, String(error));
    assert.equal(error.problem.code, "no-gpu");
    return true;
  });
});

Deno.test("libraries that cannot be loaded are one error with a remedy", async () => {
  using folder = temporaryFolder();
  for (const path of ["cpu/tensorflow/libtensorflow_framework.so.2", "addon/tfjs_binding.node"]) {
    Deno.mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder.path, path), "four");
  }
  markFinished(join(folder.path, "cpu"), buildStamp("cpu"));
  markFinished(join(folder.path, "addon"), addonStamp());
  const module = new URL("../../../lib/tensorflow/runtime/native.ts", import.meta.url).href;
  const program = `const { useNativeTensorFlow } = await import(${JSON.stringify(module)});
    await useNativeTensorFlow({ folder: ${
    JSON.stringify(folder.path)
  } }).catch((error) => console.log(error.message));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", program] })
    .output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^Cannot load TensorFlow: file too short\. Use a Linux .*\.\n$/,
  );
});

Deno.test("TensorFlow loads silently and keeps the user's environment variables", async () => {
  const program = `
    import { useNativeTensorFlow } from ${
    JSON.stringify(new URL("../../../lib/tensorflow/runtime/native.ts", import.meta.url).href)
  };
    const { threads } = await useNativeTensorFlow({ device: "cpu" });
    const names = ["TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_NUM_INTRAOP_THREADS", "CUDA_VISIBLE_DEVICES"];
    console.log(JSON.stringify([threads, ...names.map((name) => Deno.env.get(name))]));
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
    env: { TF_CPP_MIN_LOG_LEVEL: "3", TF_NUM_INTRAOP_THREADS: "1", NO_COLOR: "1" },
    cwd: new URL("../../", import.meta.url),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(err, "");
  assert.deepEqual(JSON.parse(out), [1, "3", "true", "1", "-1"]);
});

Deno.test("what only loading TensorFlow reads does not stay in memory", async () => {
  const statements = `await useNativeTensorFlow({ device: "cpu" });
    result = Number(/^RssFile:\\s*(\\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))[1]) / 1024;`;
  const megabytes = await runElsewhere(statements) as number;
  assert.ok(megabytes < 150, `${megabytes} MB of libraries and programs are resident`);
});

/** Runs statements in a new process, with {@linkcode useNativeTensorFlow} as `open`; returns `result`. */
async function runElsewhere(statements: string, env: Record<string, string> = {}): Promise<unknown> {
  const module = JSON.stringify(new URL("../../../lib/tensorflow/runtime/native.ts", import.meta.url).href);
  const program = `const { useNativeTensorFlow } = await import(${module});
    const open = (device) => useNativeTensorFlow({ device }).then(({ device }) => device, ({ message }) => message);
    let result;
    ${statements}
    console.log(JSON.stringify(result));`;
  const args = ["eval", "--no-check", program];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a blank number of threads or 0 means all processors", async () => {
  const all = navigator.hardwareConcurrency;
  for (const TF_NUM_INTRAOP_THREADS of ["0", "", "  "]) {
    const statements = `const { threads } = await useNativeTensorFlow({ device: "cpu" });
      result = [threads, Deno.env.get("TF_NUM_INTRAOP_THREADS")];`;
    assert.deepEqual(await runElsewhere(statements, { TF_NUM_INTRAOP_THREADS }), [all, String(all)]);
  }
});

Deno.test("a number that cannot be used is refused by the name of its variable, and may be mended", async () => {
  const wrong = [
    ...["-1", "two", "1.5", "5000"].map((value) => ["TF_NUM_INTRAOP_THREADS", value, "1024"]),
    ...["-5", "100000"].map((value) => ["TF_NUM_INTEROP_THREADS", value, "1024"]),
    ["TF_CPP_MIN_LOG_LEVEL", "quiet", "3"],
  ];
  const statements = `result = [];
    for (const [name, value] of ${JSON.stringify(wrong)}) {
      Deno.env.set(name, value);
      result.push(await open("cpu"));
      Deno.env.delete(name);
    }
    result.push(Deno.env.get("CUDA_VISIBLE_DEVICES"), await open("cpu"));`;
  const messages = wrong.map(([name, value, maximum]) =>
    `Cannot use the environment variable ${name}=${value}: it must be a whole number from 0 to ${maximum}. ` +
    "Set it so, or unset it for TensorFlow's own choice."
  );
  const result = await runElsewhere(statements, { CUDA_VISIBLE_DEVICES: "" });
  assert.deepEqual(result, [...messages, "", "cpu"]);
});

Deno.test("a GPU that is asked for in vain spoils no other call, at once or later", async () => {
  const [refused, atOnce, either, again, later] = await runElsewhere(
    `result = await Promise.all([open("gpu"), open("cpu"), open("auto")]);
     result.push(await open("gpu"), await open("cpu"));`,
  ) as string[];
  for (const message of [refused, again]) {
    assert.match(message, /^Cannot (use TensorFlow|compute on a GPU): /);
  }
  assert.deepEqual([atOnce, either, later], ["cpu", "cpu", "cpu"]);
});

Deno.test("no package is loaded that only the install script or another start of tfjs-node uses", async () => {
  const native = new URL("../../../lib/tensorflow/runtime/native.ts", import.meta.url).href;
  const program = `import { createRequire } from "node:module";
    const { useNativeTensorFlow } = await import(${JSON.stringify(native)});
    await useNativeTensorFlow({ device: "cpu" });
    console.log(Object.keys(createRequire(${JSON.stringify(native)}).cache).join("\\n"));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-check", program] })
    .output();
  const paths = new TextDecoder().decode(stdout).matchAll(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)/gm);
  const packages = new Set(paths.map(([, name]) => name));
  const others = [...packages].filter((name) => !/^@tensorflow\/tfjs/.test(name)).sort();
  // not tar 6, adm-zip, node-fetch, rimraf, https-proxy-agent, @mapbox/node-pre-gyp
  assert.deepEqual(others, ["google-protobuf", "long", "seedrandom"]);
});
