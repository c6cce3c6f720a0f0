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

Deno.test("a file is locked once, until its lock is disposed", () => {
  using temporary = temporaryFolder();
  const path = join(temporary.path, ".lock");
  {
    using lock = tryLockFile(path);
    assert.notEqual(lock, null);
    assert.equal(tryLockFile(path), null);
  }
  using again = tryLockFile(path);
  assert.notEqual(again, null);
});
