import assert from "node:assert/strict";
import { join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
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
    message: `Cannot read ${join(path, "none.png")}: there is no such file or folder.`,
  });
  const file = join(path, "gone.png");
  Deno.writeTextFileSync(file, "x");
  const [source] = findPictures(file);
  Deno.removeSync(file);
  await assert.rejects(source.read(), {
    name: "InputError",
    message: `Cannot read ${file}: there is no such file.`,
  });
});

Deno.test(
  "pipes, devices and links in a circle are refused at once, and the others in their folder are read",
  { ignore: Deno.build.os === "windows" },
  async () => {
    using folder = temporaryFolder();
    const file = (name: string) => join(folder.path, name);
    await new Deno.Command("mkfifo", { args: [file("1.png")] }).output();
    Deno.symlinkSync("2.png", file("2.png"));
    Deno.symlinkSync("/dev/zero", file("3.png"));
    Deno.symlinkSync(".", file("4.png"));
    Deno.symlinkSync("none", file("5.png"));
    Deno.writeTextFileSync(file("6.png"), "x");
    const reasons = await Promise.all(
      findPictures(folder.path).map(async ({ read }) => {
        const error: unknown = await read().then(() => null, (error) => error);
        if (error === null) return "read";
        assert.ok(error instanceof InputError, String(error));
        return error.problem!.why;
      }),
    );
    const pipe = "it is a device or a pipe and no file";
    const circle = "its symbolic links lead in a circle";
    assert.deepEqual(reasons, [pipe, circle, pipe, "it is a folder", "there is no such file", "read"]);
    assert.throws(() => findPictures(file("2.png")), { message: `Cannot read ${file("2.png")}: ${circle}.` });
  },
);
