import assert from "node:assert/strict";
import { join } from "@std/path";
import { tryLockFile, withFolderLock } from "../../lib/support/lock.ts";
import { temporaryFolder } from "../testing/folder.ts";

Deno.test("a folder's lock is exclusive", async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, "new");
  const order: string[] = [];
  const enter = (name: string) =>
    withFolderLock(folder, () => order.push(`${name} waits`), async () => {
      order.push(`${name} in`);
      await new Promise((done) => setTimeout(done, 20));
      order.push(`${name} out`);
    });
  await Promise.all([enter("a"), enter("b")]);
  const waits = order.findIndex((entry) => entry.endsWith("waits"));
  assert.ok(waits >= 0); // onWait may be called before the other message
  order.splice(waits, 1);
  assert.deepEqual(order.map((entry) => entry.split(" ")[1]), ["in", "out", "in", "out"]);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});

const fail = (message: string) => assert.fail(message);

Deno.test("a file is locked once, until its lock is disposed", () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, ".lock");
  {
    using lock = tryLockFile(path, fail);
    assert.notEqual(lock, null);
    assert.equal(tryLockFile(path, fail), null);
  }
  using again = tryLockFile(path, fail);
  assert.notEqual(again, null);
});

Deno.test("where the file system has no locks, the work goes on and it is said", async () => {
  using temporary = temporaryFolder();
  const { path } = temporary;
  for (const failure of ["No locks available (os error 37)", "Function not implemented (os error 38)"]) {
    const said: string[] = [];
    using _unlockable = makeUnlockable(failure);
    using lock = tryLockFile(join(path, ".lock"), (message) => said.push(message));
    assert.notEqual(lock, null);
    assert.equal(await withFolderLock(path, (message) => said.push(message), () => Promise.resolve(3)), 3);
    const warning = `The file system of ${path} has no locks: let no other process write there meanwhile.`;
    assert.deepEqual(said, [warning, warning]);
  }
  using _unlockable = makeUnlockable("Input/output error (os error 5)");
  assert.throws(() => tryLockFile(join(path, ".lock"), fail), /os error 5/);
});

/** Lets locking fail as on a network drive, for which no file system of this machine can be had. */
function makeUnlockable(failure: string): Disposable {
  const { tryLockSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.tryLockSync = () => {
    throw new Error(failure);
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.tryLockSync = tryLockSync) };
}
