import assert from "node:assert/strict";
import { join } from "@std/path";
import { temporaryFolder } from "../testing/folder.ts";
import { PROJECT } from "../testing/sources.ts";

const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const MODULE = join(PROJECT, "lib", "support", "temporary_folder.ts");

/** Runs code that makes temporary folders, in a process with its own `TMPDIR`. */
function start(tmpdir: string, code: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", `import { makeTemporaryFolder } from "${MODULE}"; ${code}`],
    env: { TMPDIR: tmpdir, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("a killed process's folder is removed by the next one, a living process's and other folders are not", async () => {
  using tmp = temporaryFolder();
  const age = (name: string) => Deno.utimeSync(join(tmp.path, name), new Date(0), new Date(0));
  const hold =
    'using _f = makeTemporaryFolder(); console.log("made"); await new Promise((done) => setTimeout(done, 60_000));';
  const [killed, living] = [start(tmp.path, hold), start(tmp.path, hold)];
  const readers = [killed, living].map(({ stdout }) => stdout.getReader());
  for (const reader of readers) await reader.read();
  const both = namesIn(tmp.path);
  killed.kill("SIGKILL");
  await killed.status;
  Deno.mkdirSync(join(tmp.path, "graph-notes"));
  Deno.writeTextFileSync(join(tmp.path, "dynamic-filters-notes"), "a file");
  for (const name of both) age(name);
  await start(tmp.path, "makeTemporaryFolder()[Symbol.dispose]()").output();
  const left = namesIn(tmp.path);
  assert.deepEqual([both.length, left.length], [2, 3], String(left));
  assert.deepEqual(left.filter((name) => !both.includes(name)), ["dynamic-filters-notes", "graph-notes"]);
  living.kill("SIGKILL");
  await living.status;
  for (const [index, { stderr }] of [killed, living].entries()) {
    await Promise.all([readers[index].cancel(), stderr.cancel()]);
  }
});
