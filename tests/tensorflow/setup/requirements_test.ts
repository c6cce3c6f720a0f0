import assert from "node:assert/strict";
import { join } from "@std/path";
import { buildStamp, TENSORFLOW_VERSION } from "../../../lib/tensorflow/runtime/installation.ts";
import { ROOT } from "./machine.ts";

Deno.test("every package is pinned to one release", async () => {
  const files = ["requirements", "lib/tensorflow/requirements"].flatMap((folder) =>
    [...Deno.readDirSync(join(ROOT, folder))].map(({ name }) => join(folder, name))
  );
  assert.ok(files.length >= 6);
  for (const file of files) {
    const lines = (await Deno.readTextFile(join(ROOT, file))).split("\n").filter((line) =>
      !/^(#|$)/.test(line)
    );
    assert.ok(lines.length > 0, file);
    for (const line of lines) {
      assert.match(line, /^[a-zA-Z0-9_-]+==[\d.]+( ; platform_machine == "\w+")?$/, file);
    }
  }
});

Deno.test("both builds of TensorFlow are of the pinned release", () => {
  for (const build of ["cpu", "gpu"] as const) {
    const versions = buildStamp(build).matchAll(/^tensorflow(?:-cpu)?==(\S+)/gm).map(([, version]) => version)
      .toArray();
    assert.ok(versions.length > 0);
    assert.deepEqual(new Set(versions), new Set([TENSORFLOW_VERSION]));
  }
});
