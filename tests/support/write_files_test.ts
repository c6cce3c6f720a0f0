import assert from "node:assert/strict";
import { join } from "@std/path";
import { makeFolder, writeFileAtomically, writeFiles, writeText } from "../../lib/support/write_files.ts";
import { temporaryFolder } from "../testing/folder.ts";
import { listFiles, PROJECT } from "../testing/sources.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const modeOf = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);
const leftover = () => `.dynamic-filters-${crypto.randomUUID()}.tmp`;

Deno.test("a file is created, then replaced, without temporary files left", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  for (const text of ["", "old content, which is longer", "new"]) {
    writeFileAtomically(path, bytes(text));
    assert.equal(Deno.readTextFileSync(path), text);
    assert.deepEqual(namesIn(folder.path), ["a.bin"]);
  }
});

Deno.test("an open reader keeps the old content", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.bin");
  writeText(path, "old");
  using reader = Deno.openSync(path);
  writeText(path, "new");
  const buffer = new Uint8Array(10);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, reader.readSync(buffer)!)), "old");
});

Deno.test("a name may be as long as the file system allows", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "x".repeat(255));
  writeText(path, "new");
  assert.equal(Deno.readTextFileSync(path), "new");
  const why = "no file or folder may have a name that long";
  assert.throws(() => writeText(`${path}x`, "new"), { message: `Cannot write ${path}x: ${why}.` });
});

Deno.test("a replaced file keeps its mode, and a symbolic link its file", () => {
  using folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  Deno.mkdirSync(file("real"));
  for (const mode of [0o600, 0o640, 0o666, 0o755]) {
    writeText(file("real/a"), "old");
    Deno.chmodSync(file("real/a"), mode);
    writeText(file("real/a"), "new");
    assert.equal(modeOf(file("real/a")), mode.toString(8));
  }
  Deno.symlinkSync("real/a", file("link"));
  Deno.symlinkSync("real/b", file("dangling"));
  for (const [link, target] of [["link", "real/a"], ["dangling", "real/b"]]) {
    writeText(file(link), "through the link");
    assert(Deno.lstatSync(file(link)).isSymlink);
    assert.equal(Deno.readTextFileSync(file(target)), "through the link");
  }
  assert.deepEqual([namesIn(folder.path), namesIn(file("real"))], [["dangling", "link", "real"], ["a", "b"]]);
});

Deno.test("into a device or a pipe the content is written", async () => {
  using folder = temporaryFolder();
  const pipe = join(folder.path, "pipe");
  new Deno.Command("mkfifo", { args: [pipe] }).outputSync();
  const reader = new Deno.Command("cat", { args: [pipe], stdout: "piped" }).spawn();
  writeText(pipe, "through the pipe");
  assert.equal(new TextDecoder().decode((await reader.output()).stdout), "through the pipe");
  assert(Deno.statSync(pipe).isFifo);
  writeText("/dev/null", "lost");
  assert(Deno.statSync("/dev/null").isCharDevice);
  assert.throws(() => writeText("/dev/full", "lost"), {
    message: "Cannot write /dev/full: the disk is full.",
  });
});

Deno.test("what is written to /dev/stdout stands between what is printed, also in a file", async () => {
  using folder = temporaryFolder();
  const module = join(PROJECT, "lib", "support", "write_files.ts");
  const code = `import { writeFiles } from "${module}";
    const bytes = new TextEncoder().encode("2\\n");
    console.log("1"); writeFiles([{ path: "/dev/stdout", bytes }]); console.log("3");`;
  const output = join(folder.path, "out.txt");
  const deno = `"${Deno.execPath()}" run -q --no-prompt -P=files -`; // without leave to look at /dev
  const script = `cat <<'END' | ${deno} > ${output}\n${code}\nEND`;
  const { stderr } = await new Deno.Command("sh", { args: ["-c", script], cwd: PROJECT }).output();
  assert.equal(Deno.readTextFileSync(output), "1\n2\n3\n", new TextDecoder().decode(stderr));
});

Deno.test("files that belong together are replaced together or not at all", () => {
  using folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  writeText(file("a"), "old");
  Deno.mkdirSync(file("b"));
  const files = ["a", "new/c", "b"].map((name) => ({ path: file(name), bytes: bytes("new") }));
  assert.throws(() => writeFiles(files), { message: `Cannot write ${file("b")}: it is a folder.` });
  assert.equal(Deno.readTextFileSync(file("a")), "old");
  assert.deepEqual([namesIn(folder.path), namesIn(file("new"))], [["a", "b", "new"], []]);
  writeFiles(files.slice(0, 2));
  assert.deepEqual([file("a"), file("new/c")].map((path) => Deno.readTextFileSync(path)), ["new", "new"]);
});

Deno.test("a folder is made with those above it, and a file in the way is named", () => {
  using folder = temporaryFolder();
  makeFolder(join(folder.path, "a", "b"));
  makeFolder(join(folder.path, "a", "b"));
  assert.deepEqual(namesIn(join(folder.path, "a")), ["b"]);
  writeText(join(folder.path, "file"), "");
  const [inTheWay, below] = [join(folder.path, "file"), join(folder.path, "file", "c")];
  assert.throws(() => makeFolder(inTheWay), {
    message: `Cannot make the folder ${inTheWay}: there is already something of that name.`,
  });
  assert.throws(() => makeFolder(below), {
    message: `Cannot make the folder ${inTheWay}: there is already something of that name.`,
  });
});

Deno.test("temporary files of ended processes are removed, those of running ones and other files are not", () => {
  using folder = temporaryFolder();
  const [abandoned, inUse] = [leftover(), leftover()];
  const others = [".a.123.tmp", ".dynamic-filters-notes.tmp", `${abandoned}.bak`];
  for (const name of [abandoned, inUse, ...others]) Deno.writeTextFileSync(join(folder.path, name), "half");
  using writer = Deno.openSync(join(folder.path, inUse), { write: true });
  writer.lockSync(true);
  writeText(join(folder.path, "a"), "new");
  assert.deepEqual(namesIn(folder.path), ["a", inUse, ...others].sort());
});

Deno.test("files are written by one module, but for set-up, downloads and a kernel's own", () => {
  const own =
    /^lib\/(tensorflow\/|setup\.ts|support\/(write_files|download\/))|^notebooks\/(jupyter|report\/typeset)/;
  const files = ["lib", "cli", "notebooks"].flatMap((folder) => listFiles(folder, ".ts"));
  const breaches = files.filter((path) =>
    !own.test(path) &&
    /^(?! \*).*Deno\.(write(Text)?File|create|truncate|open\w*\(.*(write|append):)/m.test(
      Deno.readTextFileSync(join(PROJECT, path)),
    )
  );
  assert.deepEqual(breaches, ["lib/support/lock.ts"]); // creates an empty file
});

/** Runs a shell script, and code that writes, where mounts are allowed; $1 is the folder. */
async function runWithMounts(folder: string, script: string, code: string): Promise<string> {
  const module = join(PROJECT, "lib", "support", "write_files.ts");
  const write = `"${Deno.execPath()}" eval 'import { writeText } from "${module}"; ${code}' $1`;
  const args = ["-rm", "sh", "-ec", script.replace("WRITE", write), "sh", folder];
  const { stdout, stderr } = await new Deno.Command("unshare", { args, cwd: PROJECT }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const canMount = Deno.build.os === "linux" &&
  (await new Deno.Command("unshare", { args: ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"] }).output()
    .catch(() => null))?.success;

Deno.test({
  name: "on a full disk the old file stays and the temporary one is removed",
  ignore: !canMount,
  async fn() {
    using folder = temporaryFolder();
    const said = await runWithMounts(
      folder.path,
      `mkdir $1/disk; mount -t tmpfs -o size=64k none $1/disk; echo old > $1/disk/a; WRITE; ls -A $1/disk; cat $1/disk/a`,
      `try { writeText(Deno.args[0] + "/disk/a", "x".repeat(100_000)); } catch (error) { console.log(error.message); }`,
    );
    assert.equal(said, `Cannot write ${folder.path}/disk/a: the disk is full.\na\nold\n`);
  },
});

Deno.test({
  name: "a file that is mounted by itself is written into",
  ignore: !canMount,
  async fn() {
    using folder = temporaryFolder();
    const said = await runWithMounts(
      folder.path,
      `mkdir $1/in; echo outside > $1/out; touch $1/in/a; mount --bind $1/out $1/in/a; WRITE; ls -A $1/in; cat $1/out`,
      `writeText(Deno.args[0] + "/in/a", "new\\n");`,
    );
    assert.equal(said, "a\nnew\n");
  },
});

const strace = await new Deno.Command("strace", { args: ["-V"] }).output().catch(() => null);

Deno.test({
  name: "the content is on the disk before it is renamed, and then the new name",
  ignore: !strace?.success,
  async fn() {
    using folder = temporaryFolder();
    const module = join(PROJECT, "lib", "support", "write_files.ts");
    const code = `import { writeText } from "${module}"; writeText("${folder.path}/new/a", "new");`;
    const trace = join(folder.path, "trace");
    const options = ["-f", "-y", "-o", trace, "-e", "trace=openat,flock,write,fsync,fdatasync,/^rename"];
    const args = [...options, Deno.execPath(), "eval", code];
    Deno.mkdirSync(join(folder.path, "new"));
    const { success, stderr } = await new Deno.Command("strace", { args, cwd: PROJECT }).output();
    assert(success, new TextDecoder().decode(stderr));
    const calls = Deno.readTextFileSync(trace).split("\n").filter((line) => line.includes(folder.path));
    const steps = calls.flatMap((line) => {
      const step = /O_EXCL|flock|write|sync|rename/.exec(line)?.[0];
      return step === undefined ? [] : [line.includes("/new/") ? step : `${step} the folder`];
    });
    assert.deepEqual(steps, ["O_EXCL", "flock", "write", "sync", "rename", "sync the folder"]);
  },
});
