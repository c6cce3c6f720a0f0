import assert from "node:assert/strict";
import { join } from "@std/path";
import { findPictures } from "../../lib/prediction/find_pictures.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("a folder gives its pictures in numeric order", async () => {
  using folder = temporaryFolder();
  for (const name of ["10.png", "2.JPG", "a.webp", "notes.txt", "b.jpeg"]) {
    Deno.writeTextFileSync(join(folder.path, name), name);
  }
  Deno.mkdirSync(join(folder.path, "deeper.png"));
  const sources = findPictures(folder.path);
  assert.deepEqual(
    sources.map(({ label }) => label),
    ["2.JPG", "10.png", "a.webp", "b.jpeg"].map((name) => join(folder.path, name)),
  );
  assert.equal(new TextDecoder().decode(await sources[1].read()), "10.png");
});

Deno.test("an unreadable picture is refused by name", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  assert.throws(() => findPictures(path), {
    name: "InputError",
    message: `Cannot use the folder ${path}: it has no PNG, JPEG or WebP picture in it.`,
  });
  assert.throws(() => findPictures(join(path, "none.png")), {
    name: "InputError",
    message: `Cannot use ${join(path, "none.png")}: there is no such file.`,
  });
  const file = join(path, "gone.png");
  Deno.writeTextFileSync(file, "x");
  const [source] = findPictures(file);
  Deno.removeSync(file);
  await assert.rejects(source.read(), {
    name: "InputError",
    message: `Cannot use ${file}: there is no such file.`,
  });
});

Deno.test(
  "reading an endless file stops at the size limit",
  { ignore: Deno.build.os === "windows" },
  async () => {
    await assert.rejects(findPictures("/dev/zero")[0].read(), {
      name: "InputError",
      message: "Cannot use /dev/zero: it is larger than 100 MB; make it smaller first.",
    });
  },
);
