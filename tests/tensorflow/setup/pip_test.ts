import assert from "node:assert/strict";
import { join } from "@std/path";
import { createPipProgress } from "../../../lib/tensorflow/setup/python.ts";

Deno.test("progress follows pip from file to file, with the bytes that have come", async () => {
  const folder = await Deno.makeTempDir();
  const progress = createPipProgress(folder);
  progress.read("Looking in indexes: https://mirror.example/simple");
  assert.equal(progress.state(), "asking the package index");
  progress.read("  Downloading nvidia_cublas_cu12-12.8.4.1-py3-none-manylinux_2_27_x86_64.whl (594.3 MB)");
  assert.equal(progress.state(), "nvidia_cublas_cu12 12.8.4.1: 0.0 of 594.3 MB");
  await Deno.mkdir(join(folder, "pip-unpack-x1"));
  const file = join(
    folder,
    "pip-unpack-x1",
    "nvidia_cublas_cu12-12.8.4.1-py3-none-manylinux_2_27_x86_64.whl",
  );
  await Deno.truncate((await Deno.writeFile(file, new Uint8Array()), file), 1_500_000);
  assert.equal(progress.state(), "nvidia_cublas_cu12 12.8.4.1: 1.5 of 594.3 MB");
  // older ones print the address
  progress.read(
    "  Downloading https://mirror.example/a/b/tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl (572.6 MB)",
  );
  assert.equal(progress.state(), "tensorflow 2.21.0: 0.0 of 572.6 MB");
  progress.read("  Using cached torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl");
  assert.equal(progress.state(), "torch 2.13.0+cpu:");
  progress.read("Installing collected packages: tensorflow");
  assert.equal(progress.state(), "unpacking");
  await Deno.remove(folder, { recursive: true });
});
