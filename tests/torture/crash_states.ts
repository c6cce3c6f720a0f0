/**
 * Everything that a crash may leave of a folder: after each system call, any part of what was not yet synced.
 *
 * Strict rules, stricter than today's file systems: bytes are safe once their file was synced, names once
 * their folder was; unsynced bytes may be lost, cut, zero, garbage or from any block, unsynced names in any
 * combination.
 *
 * @module
 */
import { dirname } from "@std/path";
import type { Random } from "../../lib/support/random.ts";
import type { Operation } from "./trace.ts";

/** A folder after a crash. */
export interface CrashState {
  /** After how many operations the crash came, and what was lost. */
  how: string;
  /** Content by path. */
  files: Map<string, Uint8Array>;
  /** What the user had been told before the crash. */
  said: string;
}

type Rename = Extract<Operation, { kind: "rename" }>;

const FOLDER = -1; // instead of an inode
const BLOCK = 4096;
const MOST_PENDING = 5; // names whose every combination is tried; beyond, those in order

/** An inode's bytes: as they would be read now, and as they are safe on disk. */
interface Content {
  now: Uint8Array;
  safe: Uint8Array;
}

/**
 * Lists the states that a crash during these operations may leave.
 *
 * @param before The files at the beginning; all synced. Their inodes are 0, 1, …
 * @param cuts How many lengths each unsynced file is cut at.
 */
export function* crashStates(
  before: ReadonlyMap<string, Uint8Array>,
  operations: readonly Operation[],
  cuts: number,
  random: Random,
): Generator<CrashState> {
  const contents = [...before.values()].map((bytes): Content => ({ now: bytes, safe: bytes }));
  let names = new Map([...before.keys()].map((path, inode) => [path, inode])); // on disk for sure
  for (const path of before.keys()) names.set(dirname(path), FOLDER);
  let pending: Operation[] = []; // changes of names
  let said = "";
  for (const [index, operation] of [...operations, null].entries()) {
    const dirty = contents.map(({ now, safe }, inode) => now === safe ? -1 : inode).filter((one) => one >= 0);
    // a state differs from those before it only where the last operation was no sync and no promise
    for (const { done, which } of combinations(pending)) {
      const linked = apply(names, done);
      const states = dirty.length === 0
        ? [{ inode: -1, torn: [{ bytes: new Uint8Array(), cut: "" }] }]
        : dirty
          .map((inode) => ({
            inode,
            torn: [...tear(contents[inode], [...linked.values()].includes(inode) ? cuts : 0, random)],
          }));
      for (const { inode, torn } of states) {
        for (const { bytes, cut } of torn) {
          const reached = [...linked].filter(([path, one]) => one !== FOLDER && linked.has(dirname(path)));
          const files = new Map(reached.map(([path, one]) => [
            path,
            one === inode ? bytes : contents[one].now,
          ]));
          yield { how: `crash after ${index} operations, names ${which}, ${cut}`, files, said };
        }
      }
    }
    if (operation === null) return;
    if (operation.kind === "say") said += operation.text;
    else if (operation.kind === "sync") {
      contents[operation.inode].safe = contents[operation.inode].now;
    } else if (operation.kind === "syncFolder") {
      const isSafe = (one: Operation) =>
        dirname("path" in one ? one.path : (one as Rename).to) === operation.path;
      names = apply(names, pending.filter(isSafe));
      pending = pending.filter((one) => !isSafe(one));
    } else if (operation.kind === "write") {
      const content = contents[operation.inode];
      content.now = resize(content.now, Math.max(content.now.length, operation.at + operation.bytes.length));
      content.now.set(operation.bytes, operation.at);
    } else if (operation.kind === "resize") {
      contents[operation.inode].now = resize(contents[operation.inode].now, operation.size);
    } else {
      if (operation.kind === "link") contents[operation.inode] = makeContent();
      pending.push(operation);
    }
  }
}

const makeContent = (): Content => {
  const empty = new Uint8Array();
  return { now: empty, safe: empty };
};

function resize(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

/** Which of the unsynced changes of names reached the disk. */
function* combinations(pending: readonly Operation[]): Generator<{ done: Operation[]; which: string }> {
  if (pending.length <= MOST_PENDING) {
    for (let bits = 0; bits < 1 << pending.length; bits++) {
      const done = pending.filter((_, index) => bits >> index & 1);
      yield { done, which: `${bits.toString(2).padStart(pending.length, "0")} of ${pending.length}` };
    }
  } else {
    for (let count = 0; count <= pending.length; count++) {
      yield { done: pending.slice(0, count), which: `first ${count} of ${pending.length}` };
      yield {
        done: pending.filter((_, index) => index !== count),
        which: `all but ${count} of ${pending.length}`,
      };
    }
  }
}

function apply(names: ReadonlyMap<string, number>, done: readonly Operation[]): Map<string, number> {
  const linked = new Map(names);
  const inodes = new Map(names);
  for (const operation of done) {
    if (operation.kind === "link") {
      linked.set(operation.path, operation.inode);
      inodes.set(operation.path, operation.inode);
    } else if (operation.kind === "mkdir") {
      linked.set(operation.path, FOLDER);
    } else if (operation.kind === "unlink") {
      linked.delete(operation.path);
    } else if (operation.kind === "rename") {
      const inode = linked.get(operation.from) ?? inodes.get(operation.from);
      if (inode === undefined) continue; // its file has no name yet
      linked.delete(operation.from);
      linked.set(operation.to, inode);
    }
  }
  return linked;
}

/** What may be left of bytes that were not synced. */
function* tear(
  { now, safe }: Content,
  cuts: number,
  random: Random,
): Generator<{ bytes: Uint8Array; cut: string }> {
  yield { bytes: now, cut: "all bytes" };
  yield { bytes: safe, cut: "no byte" };
  if (cuts === 0) return;
  const from = safe.length < now.length ? safe.length : 0; // appended, or written anew
  const edges = [1, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1, -BLOCK, -9, -8, -7, -1]
    .map((edge) => edge < 0 ? now.length + edge : from + edge).filter((end) =>
      end > from && end < now.length
    );
  const lengths = new Set(edges);
  const most = Math.min(cuts, now.length - from - 1);
  while (lengths.size < most) lengths.add(from + 1 + random.integer(now.length - from - 1));
  for (const length of lengths) {
    yield { bytes: now.subarray(0, length), cut: `cut to ${length} bytes` };
  }
  const damaged = (what: string, damage: (bytes: Uint8Array) => void) => {
    const bytes = now.slice();
    damage(bytes.subarray(from));
    return { bytes, cut: what };
  };
  yield damaged("zeros", (bytes) => bytes.fill(0));
  yield damaged("garbage", (bytes) => bytes.forEach((_, at) => void (bytes[at] = random.integer(256))));
  for (let one = 0; one < Math.min(cuts, 20); one++) {
    yield damaged(`blocks lost (${one})`, (bytes) => {
      for (let at = 0; at < bytes.length; at += BLOCK) {
        if (random.next() < 0.5) bytes.fill(0, at, at + BLOCK);
      }
    });
  }
}
