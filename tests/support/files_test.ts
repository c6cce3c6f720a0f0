import assert from "node:assert/strict";
import { join } from "@std/path";
import { writeFileAtomically } from "../../lib/support/files.ts";
import { temporaryFolder } from "../testing/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
const temporaryName = (name: string) => `.${name}.${Deno.pid}.tmp`;

Deno.test("a file is made, then replaced, and nothing else is left in the folder", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  for (const text of ["", "old content, which is longer", "new"]) {
    writeFileAtomically(path, bytes(text));
    assert.equal(Deno.readTextFileSync(path), text);
    assert.deepEqual(namesIn(folder.path), ["a.bin"]);
  }
});

Deno.test("who has the file open goes on reading the old content", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  writeFileAtomically(path, bytes("old"));
  using reader = Deno.openSync(path);
  writeFileAtomically(path, bytes("new"));
  const buffer = new Uint8Array(10);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, reader.readSync(buffer)!)), "old");
});

Deno.test("where no temporary file can be made the old file stays", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  writeFileAtomically(path, bytes("old"));
  Deno.mkdirSync(join(folder.path, temporaryName("a.bin"), "in the way"), { recursive: true });
  assert.throws(() => writeFileAtomically(path, bytes("new")), Deno.errors.IsADirectory);
  assert.equal(Deno.readTextFileSync(path), "old");
  assert.throws(
    () => writeFileAtomically(join(folder.path, "missing", "a.bin"), bytes("new")),
    Deno.errors.NotFound,
  );
});

Deno.test({
  name: "when the disk is full the old file stays, and no temporary one",
  ignore: Deno.build.os !== "linux",
  fn() {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.bin");
    writeFileAtomically(path, bytes("old"));
    Deno.symlinkSync("/dev/full", join(folder.path, temporaryName("a.bin"))); // opens, and refuses what is written
    assert.throws(() => writeFileAtomically(path, bytes("new")), /No space left/);
    assert.equal(Deno.readTextFileSync(path), "old");
    assert.deepEqual(namesIn(folder.path), ["a.bin"]);
  },
});

Deno.test("when the last move fails the temporary file goes", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  Deno.mkdirSync(join(path, "a folder of that name"), { recursive: true });
  assert.throws(() => writeFileAtomically(path, bytes("new")));
  assert.deepEqual(namesIn(folder.path), ["a.bin"]);
});
