import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { TensorFlowError } from "../../../lib/tensorflow/errors.ts";
import {
  findInstallation,
  packagePath,
  TENSORFLOW_VERSION,
  tensorflowFolder,
} from "../../../lib/tensorflow/runtime/installation.ts";
import { temporaryFolder } from "../../testing/folder.ts";

Deno.test("an installation is found at or above the package, or by the environment variable", () => {
  const own = Deno.env.get("TENSORFLOW_FOLDER");
  try {
    Deno.env.delete("TENSORFLOW_FOLDER");
    const found = tensorflowFolder("/elsewhere");
    assert.ok(packagePath(".").startsWith(dirname(found)), found);
    Deno.env.set("TENSORFLOW_FOLDER", "/shared/tensorflow");
    assert.equal(tensorflowFolder(), "/shared/tensorflow");
  } finally {
    if (own === undefined) Deno.env.delete("TENSORFLOW_FOLDER");
    else Deno.env.set("TENSORFLOW_FOLDER", own);
  }
});

Deno.test("a complete installation is found with its libraries", () => {
  const { version, libraryFolder, addon, kernels } = findInstallation("cpu");
  assert.equal(version, TENSORFLOW_VERSION);
  for (const path of [join(libraryFolder, "libtensorflow_cc.so.2"), addon, kernels]) {
    assert.ok(Deno.statSync(path).isFile, path);
  }
});

Deno.test("the error names the folder without an installation", () => {
  using folder = temporaryFolder();
  for (const device of ["auto", "cpu", "gpu"] as const) {
    assert.throws(() => findInstallation(device, folder.path), (error: Error) => {
      assert.ok(error instanceof TensorFlowError);
      assert.equal(error.problem.code, device === "gpu" ? "cuda-not-installed" : "not-installed");
      assert.match(error.message, /is not installed in .*\. Call installTensorFlow\(.*\) first\.$/);
      return true;
    });
  }
});
