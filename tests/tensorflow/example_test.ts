// the README's first program, outside the project, with nothing of it but a copy of the package
import assert from "node:assert/strict";
import { dirname, join } from "@std/path";
import { tensorflowFolder } from "../../lib/tensorflow/setup/mod.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { listFiles, PROJECT } from "../testing/sources.ts";
import { DENO_DIR, run } from "./setup/machine.ts";

const PACKAGE = "lib/tensorflow";

Deno.test("a program outside the project installs TensorFlow by the package and fits a line", async () => {
  using folder = temporaryFolder();
  const write = (path: string, text: string) => {
    Deno.mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder.path, path), text);
  };
  for (const path of listFiles(PACKAGE, "")) {
    write(path.replace(PACKAGE, "vendor/tensorflow"), Deno.readTextFileSync(join(PROJECT, path)));
  }
  const readme = Deno.readTextFileSync(join(PROJECT, PACKAGE, "README.md"));
  write("deno.json", /^```json\n(.*?)^```/ms.exec(readme)![1]);
  write("deno.lock", Deno.readTextFileSync(join(PROJECT, "deno.lock"))); // versions that are in Deno's cache
  write("line.ts", /^```ts ignore\n(\/\/ line\.ts\n.*?)^```/ms.exec(readme)![1]);
  // the installation that the tests have, so that nothing is fetched
  const env = { PATH: "", HOME: folder.path, NO_COLOR: "1", DENO_DIR, TENSORFLOW_FOLDER: tensorflowFolder() };
  const at = { cwd: folder.path, env };
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    ["run", "-A", "--check", "--quiet", "line.ts"],
    at,
  );
  assert.match(stdout, /^y = 3\.00 x \+ 2\.00, learned on the [CG]PU\n$/, stderr);
  assert.equal(code, 0);
});
