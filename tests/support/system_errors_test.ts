import assert from "node:assert/strict";
import { join } from "@std/path";
import { explainSystemError, systemErrorName, withSystemErrors } from "../../lib/support/system_errors.ts";
import { InputError } from "../../lib/support/errors.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("errors of the operating system that Deno gives as a number only are known", () => {
  const names = {
    23: "ENFILE",
    26: "ETXTBSY",
    27: "EFBIG",
    31: "EMLINK",
    37: "ENOLCK",
    38: "ENOSYS",
    75: "EOVERFLOW",
    95: "ENOTSUP",
    116: "ESTALE",
    122: "EDQUOT",
  };
  for (const [number, name] of Object.entries(names)) {
    const error = new Error(`Something (os error ${number}): open '/a/b'`);
    assert.equal(systemErrorName(error), name);
    assert.match(explainSystemError(error)!.message, /^Cannot open \/a\/b: .*[a-z]\.$/);
  }
});

Deno.test("a sentence that quotes an error's number stays as it is", () => {
  const error = new InputError({ what: "use a certificate", why: "No such file or directory (os error 2)" });
  assert.equal(explainSystemError(error), null);
  assert.throws(() =>
    withSystemErrors("read /a/b", () => {
      throw error;
    }), error);
});

Deno.test("an error of the operating system becomes a sentence with the path and a remedy", () => {
  using folder = temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  Deno.writeTextFileSync(path("file"), "");
  Deno.mkdirSync(path("folder/full"), { recursive: true });
  Deno.symlinkSync("circle", path("circle"));
  const circle = "its symbolic links lead in a circle";
  const cases: [work: () => unknown, sentence: string][] = [
    [() => Deno.openSync(path("none")), `open ${path("none")}: there is no such file or folder`],
    [() => Deno.readFileSync(path("folder")), `read ${path("folder")}: it is a folder`],
    [() => Deno.readFileSync(path("circle")), `read ${path("circle")}: ${circle}`],
    [
      () => Deno.mkdirSync(path("file")),
      `make the folder ${path("file")}: there is already something of that name`,
    ],
    [
      () => Deno.readDirSync(path("file")),
      `list ${path("file")}: a part of the path is a file and no folder`,
    ],
    [() => Deno.removeSync(path("folder")), `remove ${path("folder")}: the folder is not empty`],
    [
      () => Deno.renameSync(path("file"), path("folder")),
      `rename ${path("file")} to ${path("folder")}: it is a folder`,
    ],
  ];
  for (const [work, sentence] of cases) {
    try {
      work();
      assert.fail(sentence);
    } catch (error) {
      assert.equal(explainSystemError(error)?.message, `Cannot ${sentence}.`);
    }
  }
  const full = explainSystemError(new Error("No space left on device (os error 28): writefile '/a'"));
  assert.deepEqual(full!.next, [{ advice: "free some space and try again" }]);
});

Deno.test("a TMPDIR that cannot be used is named", () => {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", "/none/such");
  try {
    Deno.makeTempDirSync();
    assert.fail();
  } catch (error) {
    const { message, next } = explainSystemError(error)!;
    assert.equal(
      message,
      "Cannot make a temporary folder in /none/such: there is no such file or folder.",
    );
    assert.deepEqual(next, [{ advice: "set TMPDIR to another folder" }]);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
});

Deno.test("an error of a bug stays as it is", () => {
  const bugs = [
    new TypeError("x is not a function"),
    new TypeError("Invalid argument (os error 22)"),
    new Error("x (os error 9999)"),
    Object.assign(new Error("x"), { code: "toString" }),
    "text",
    null,
  ];
  for (const bug of bugs) {
    assert.equal(explainSystemError(bug), null);
    assert.throws(() =>
      withSystemErrors("do", () => {
        throw bug;
      }), (error) => error === bug);
  }
});
