import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  exists,
  readFileBounded,
  readJsonOrNull,
  readText,
  readTextOrNull,
  requireFolderOf,
  statOrNull,
} from "../../lib/support/files.ts";
import { isRecord } from "../../lib/support/schema.ts";
import { writeText } from "../../lib/support/write_files.ts";
import { temporaryFolder } from "../testing/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a missing file is null, other errors are thrown", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.json");
  writeText(path, '{"a": "ü"}');
  for (const missing of [join(folder.path, "b.json"), join(path, "inside")]) {
    assert.equal(exists(missing), false);
    for (const read of [readTextOrNull, readJsonOrNull, statOrNull]) assert.equal(read(missing), null);
  }
  assert.equal(exists(path) && exists(folder.path), true);
  assert.equal(readTextOrNull(path), '{"a": "ü"}');
  assert.deepEqual(readJsonOrNull(path), { a: "ü" });
  assert.equal(statOrNull(path)!.size, 11);
  assert.throws(() => readTextOrNull(folder.path), {
    message: `Cannot read ${folder.path}: it is a folder.`,
  });
});

Deno.test("only regular files of a bounded size are read whole", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a");
  Deno.writeTextFileSync(path, "\ufeffüber");
  assert.equal(readText(path), "über");
  assert.deepEqual([...readFileBounded(path, 8)], [0xef, 0xbb, 0xbf, ...bytes("über")]);
  Deno.writeFileSync(join(folder.path, "latin1"), new Uint8Array([0xfc, 0x62]));
  new Deno.Command("mkfifo", { args: [join(folder.path, "pipe")] }).outputSync();
  Deno.symlinkSync("circle", join(folder.path, "circle"));
  Deno.truncateSync(path, 1_500_000_000);
  const refused: [string, string][] = [
    [path, "it has 1.50 GB, and at most 100.0 MB are read"],
    [join(folder.path, "latin1"), "it is not text in UTF-8"],
    [join(folder.path, "pipe"), "it is a device or a pipe and no file"],
    [join(folder.path, "circle"), "its symbolic links lead in a circle"],
    [join(folder.path, "none"), "there is no such file"],
    [join(folder.path, "a", "b"), "there is no such file"],
    ["/dev/zero", "it is a device or a pipe and no file"],
    [folder.path, "it is a folder"],
  ];
  for (const [path, why] of refused) {
    assert.throws(() => readText(path), { name: "InputError", message: `Cannot read ${path}: ${why}.` });
  }
});

Deno.test("damaged JSON or JSON without an object is null", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.json");
  for (const text of ["", "{", "[]", "null", "3"]) {
    writeText(path, text);
    assert.equal(readJsonOrNull(path), null, text);
  }
  assert.deepEqual([{}, [], null, 3].map(isRecord), [true, false, false, false]);
});

Deno.test("a file can be written where its folder is", () => {
  using folder = temporaryFolder();
  requireFolderOf(join(folder.path, "new.txt"));
  Deno.writeTextFileSync(join(folder.path, "file"), "");
  for (const missing of ["none", "file"]) {
    const path = join(folder.path, missing, "new.txt");
    assert.throws(() => requireFolderOf(path), {
      message: `Cannot write ${path}: there is no folder ${join(folder.path, missing)}.`,
    });
  }
});
