import assert from "node:assert/strict";
import { join } from "@std/path";
import { buildStamp, TENSORFLOW_VERSION } from "../../../lib/tensorflow/runtime/installation.ts";
import { ROOT } from "./machine.ts";

const FOLDERS = ["requirements", "lib/tensorflow/requirements"];
const PIN = /^[\w.-]+==[\w.+]+(?= ;| \\|$)/;

Deno.test("every package is pinned to one release, and those of a generated file have hashes", async () => {
  let generated = 0;
  for (const folder of FOLDERS) {
    for (const { name } of Deno.readDirSync(join(ROOT, folder))) {
      if (!/\.(in|txt)$/.test(name)) continue;
      const text = await Deno.readTextFile(join(ROOT, folder, name));
      const packages = text.replace(/^#.*\n/gm, "").split(/\n(?! )/).filter((lines) => lines !== "");
      assert.ok(packages.length > 0, name);
      for (const lines of packages) assert.match(lines, PIN, name);
      const source = name.replace(".txt", ".in");
      if (source === name || ["bench.txt", "names.txt"].includes(name)) continue; // both need torch from elsewhere
      generated++;
      for (const lines of packages) assert.match(lines, /( \\\n {4}--hash=sha256:[0-9a-f]{64})+$/, name);
      const pins = packages.map((lines) => PIN.exec(lines)![0].toLowerCase().replaceAll("_", "-"));
      for (const line of (await Deno.readTextFile(join(ROOT, folder, source))).split("\n")) {
        const pin = PIN.exec(line)?.[0].replaceAll("_", "-");
        assert.ok(
          pin === undefined || pins.includes(pin),
          `${pin} is not in ${name}: run requirements/lock.sh`,
        );
      }
    }
  }
  assert.equal(generated, 7);
});

Deno.test("both builds of TensorFlow are of the pinned release", () => {
  for (const build of ["cpu", "gpu"] as const) {
    const versions = buildStamp(build).matchAll(/^tensorflow(?:-cpu)?==(\S+)/gm).map(([, version]) => version)
      .toArray();
    assert.ok(versions.length > 0);
    assert.deepEqual(new Set(versions), new Set([TENSORFLOW_VERSION]));
  }
});

Deno.test("docs/licences.md names each package that is asked for", async () => {
  const read = (path: string) => Deno.readTextFile(join(ROOT, path));
  const { imports } = JSON.parse(await read("deno.json"));
  const npm = Object.values<string>(imports).flatMap((from) => /^npm:(@?[^@]+)/.exec(from)?.[1] ?? []);
  const locked = (await read("requirements/lab.txt")) + await read("requirements/report.txt");
  const python = [...locked.matchAll(/^([\w.-]+)==\S+ \\$/gm)].map(([, name]) => name);
  const listed = (await read("docs/licences.md")).toLowerCase().replaceAll("_", "-").split(/[\s,]+/);
  const missing = [...npm, ...python].filter((name) => !listed.includes(name));
  assert.deepEqual(missing, [], "run requirements/list_licences.ts");
});
