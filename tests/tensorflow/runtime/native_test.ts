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

Deno.test("a blank number of threads or 0 means all processors, and another text is refused by name", async () => {
  const module = JSON.stringify(new URL("../../../lib/tensorflow/runtime/native.ts", import.meta.url).href);
  const open = async (threads: string) => {
    const program = `const { useNativeTensorFlow } = await import(${module});
      const { threads } = await useNativeTensorFlow({ device: "cpu" }).catch(({ message }) => ({ threads: message }));
      console.log(JSON.stringify([threads, Deno.env.get("TF_NUM_INTRAOP_THREADS")]));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", program],
      env: { TF_NUM_INTRAOP_THREADS: threads },
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  };
  const all = navigator.hardwareConcurrency;
  for (const text of ["0", "", "  "]) assert.deepEqual(await open(text), [all, String(all)], `"${text}"`);
  for (const text of ["-1", "two", "1.5", "5000"]) {
    const [message] = await open(text);
    assert.match(
      message,
      new RegExp(`^Cannot use .*THREADS=${text}: it must be a whole number from 0 to 1024`),
    );
  }
});
