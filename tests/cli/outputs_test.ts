import assert from "node:assert/strict";
import { join } from "@std/path";
import { requireOutputs, writeOutputs } from "../../cli/shared/outputs.ts";
import { temporaryFolder } from "../testing/folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A folder for outputs, which is also that of all runs. */
function outputFolder() {
  const folder = temporaryFolder();
  const before = Deno.env.get("CHECKPOINTS_DIR");
  Deno.env.set("CHECKPOINTS_DIR", folder.path);
  return {
    file: (name: string) => join(folder.path, name),
    [Symbol.dispose]() {
      if (before === undefined) Deno.env.delete("CHECKPOINTS_DIR");
      else Deno.env.set("CHECKPOINTS_DIR", before);
      folder[Symbol.dispose]();
    },
  };
}

Deno.test("an output replaces what the same command wrote, and nothing else without --force", () => {
  using folder = outputFolder();
  const path = folder.file("a.svg");
  const figure = { origin: "a figure", force: false };
  const write = (text: string, options = figure) => writeOutputs([{ path, bytes: bytes(text) }], options);
  for (const text of ["one", "two", "two"]) {
    requireOutputs([path, null], figure);
    write(text);
  }
  assert.throws(() => write("three", { origin: "a file of scores", force: false }), /: it is a figure\.$/);
  Deno.writeTextFileSync(path, "mine");
  const foreign = {
    message: `Cannot replace ${path}: there is already a file of that name, which this program did not ` +
      "write or which has changed since.",
  };
  assert.throws(() => requireOutputs([path], figure), foreign);
  assert.throws(() => write("three"), foreign);
  assert.equal(Deno.readTextFileSync(path), "mine");
  write("mine"); // loses nothing
  Deno.writeTextFileSync(path, "mine again");
  write("three", { ...figure, force: true });
  write("four");
  assert.equal(Deno.readTextFileSync(path), "four");
});

Deno.test("an output is known by its place, also through links", () => {
  using folder = outputFolder();
  const figure = { origin: "a figure", force: false };
  writeOutputs([{ path: folder.file("a.svg"), bytes: bytes("same") }], figure);
  Deno.writeTextFileSync(folder.file("b.svg"), "same");
  Deno.symlinkSync("a.svg", folder.file("link.svg"));
  requireOutputs([folder.file("link.svg")], figure);
  assert.throws(() => requireOutputs([folder.file("b.svg")], figure), /did not write/);
});

Deno.test("a damaged list of outputs protects every file; one that cannot be written stops nothing", () => {
  using folder = outputFolder();
  const [path, list] = [folder.file("a.svg"), folder.file(".outputs.jsonl")];
  const figure = { origin: "a figure", force: false };
  for (const text of ["{", "null", "3", `{"path": ${JSON.stringify(path)}}`, '{"path": 3}\n{"pa']) {
    Deno.writeTextFileSync(path, "mine");
    Deno.writeTextFileSync(list, text);
    assert.throws(() => requireOutputs([path], figure), /did not write/, text);
  }
  Deno.removeSync(list);
  Deno.mkdirSync(list);
  writeOutputs([{ path: folder.file("b.svg"), bytes: bytes("b") }], figure);
  assert.equal(Deno.readTextFileSync(folder.file("b.svg")), "b");
});
