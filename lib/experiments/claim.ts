/**
 * Claims on runs that several hosts share through a folder. They need no locks, which network file systems
 * may lack: the n-th claim of a run is the file `claims/<run>.<n>`, which only one process can link, and the
 * claim of the highest number counts. Nobody removes one, so a late process finds out that it was replaced.
 *
 * The holder rewrites its file again and again, and the file server dates it. A claim whose file has not been
 * rewritten for `staleAfter` seconds of the server's time is taken over by the next number; so is one whose
 * kernel lock is free on the same host, at once.
 */
import os from "node:os";
import { basename, dirname, join } from "@std/path";
import { z } from "zod";
import { InputError } from "../support/errors.ts";
import { exists, readTextOrNull } from "../support/files.ts";
import { tryLock } from "../support/lock.ts";
import { integer, number, plainText } from "../support/schema.ts";
import { systemErrorName, withSystemErrors } from "../support/system_errors.ts";
import { makeFolder, rewriteStart, writeUnnamed } from "../support/write_files.ts";

const CLAIM_RECORD = z.object({
  host: plainText(),
  process: integer(),
  /** ISO 8601, UTC. */
  begun: plainText(60),
  /** Seconds without a heartbeat after which it may be taken over. */
  staleAfter: number({ above: 0 }),
  /** How it ended; null while it is held, and for good where its process crashed. */
  end: z.enum(["finished", "stopped", "failed"]).nullable(),
  /** Training steps of the run, over all claims, when it ended. */
  steps: integer({ from: 0 }),
});

/** Content of a claim's file. */
export type ClaimRecord = z.infer<typeof CLAIM_RECORD>;

/** The end of a claim. */
export type ClaimEnd = NonNullable<ClaimRecord["end"]>;

/** A claim that this process holds; disposing one that was not released leaves it as a crash does. */
export interface Claim extends Disposable {
  /** Checks before each save that nobody took the run over. @throws {ClaimLostError} If somebody did. */
  requireOwn(): void;
  /** Ends it, so that another process may claim the run at once. */
  release(end: ClaimEnd, steps: number): void;
}

/** Another process has taken the run over. */
export class ClaimLostError extends InputError {}

export interface ClaimOptions {
  /** Seconds without a heartbeat after which others may take it over. */
  staleAfter: number;
  /** Receives a message where an abandoned run is taken over. */
  log(message: string): void;
}

/** Path of a run's claims, without their numbers. */
export function claimsOf(runsFolder: string, run: string): string {
  return join(runsFolder, "claims", run);
}

/** Claims a run, unless a live process holds it: then it returns that process's claim. */
export function tryClaim(
  path: string,
  { staleAfter, log }: ClaimOptions,
): { claim: Claim } | { holder: LastClaim } {
  makeFolder(dirname(path));
  const begun = new Date().toISOString();
  const own = { host: os.hostname(), process: Deno.pid, begun, staleAfter, end: null, steps: 0 };
  for (;;) {
    const last = readLastClaim(path);
    const unnamed = writeUnnamed(dirname(path), format(own));
    // dated by the file server, as the last claim is: the hosts' clocks may differ
    const isTaken = last !== null && isHeld(last, unnamed.file.statSync().mtime!);
    const number = (last?.number ?? 0) + 1;
    if (!isTaken && unnamed.nameIt(`${path}.${number}`)) {
      if (last !== null && last.record.end === null) {
        const { host, process } = last.record;
        log(`Taking the run over: process ${process} on ${host} gives no sign of life.`);
      }
      return { claim: holdClaim(path, number, unnamed.file, own) };
    }
    unnamed[Symbol.dispose]();
    if (isTaken) return { holder: last };
    // else another process was faster: look again
  }
}

function holdClaim(path: string, number: number, file: Deno.FsFile, own: ClaimRecord): Claim {
  const isReplaced = () => {
    syncNames(dirname(path));
    return exists(`${path}.${number + 1}`);
  };
  const clock = () => [performance.now(), Date.now()]; // the first stands still while a laptop sleeps
  let lastBeat = clock();
  const age = () => Math.max(...clock().map((now, index) => now - lastBeat[index])) / 1000;
  const beat = () => {
    const before = clock();
    withSystemErrors(`write ${path}.${number}`, () => rewriteStart(file, format(own)));
    lastBeat = before;
  };
  const timer = setInterval(() => {
    try {
      beat();
    } catch (error) {
      if (!(error instanceof InputError)) throw error; // the check before the next save tries again
    }
  }, 1000 * own.staleAfter / 6);
  Deno.unrefTimer(timer);
  const requireOwn = () => {
    if (age() > own.staleAfter / 3) beat();
    if (!isReplaced()) return;
    throw new ClaimLostError({
      what: `save run ${basename(path)}`,
      why: `this process gave no sign of life for ${own.staleAfter} s, and another has taken the run over`,
    });
  };
  return {
    requireOwn,
    release(end, steps) {
      Object.assign(own, { end, steps });
      beat();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      file.close();
    },
  };
}

/** A claim's file. */
export interface LastClaim {
  path: string;
  /** 1 for the run's first. */
  number: number;
  record: ClaimRecord;
  /** Time of the last heartbeat, by the file server's clock. */
  beat: Date;
}

/** Reads the claim of the highest number; null if there is none. */
export function readLastClaim(path: string): LastClaim | null {
  let last: LastClaim | null = null;
  for (let number = 1;; number++) {
    const claim = readClaim(path, number);
    if (claim === null) return last;
    last = claim;
  }
}

/** Reads a run's claim of a number; null if there is none. */
export function readClaim(path: string, number: number): LastClaim | null {
  const file = `${path}.${number}`;
  const text = readTextOrNull(file);
  if (text === null) return null;
  return { path: file, number, record: parse(text), beat: Deno.statSync(file).mtime! };
}

/** Tells whether a claim's process is alive, as far as can be told from here at a time. */
export function isHeld({ path, record, beat }: LastClaim, now: Date): boolean {
  if (record.end !== null) return false;
  if (record.host === os.hostname()) {
    using file = Deno.openSync(path);
    const lock = tryLock(file);
    if (lock !== "unsupported") return lock === "taken";
  }
  return now.getTime() - beat.getTime() < 1000 * record.staleAfter;
}

const RECORD_BYTES = 512; // always as many, so that rewriting needs no space on a full disk

function format(record: ClaimRecord): string {
  return JSON.stringify(record).padEnd(RECORD_BYTES - 1) + "\n";
}

const UNKNOWN: ClaimRecord = {
  ...{ host: "an unknown host", process: 0, begun: "", staleAfter: 600, end: null, steps: 0 },
};

function parse(text: string): ClaimRecord {
  try {
    return CLAIM_RECORD.parse(JSON.parse(text));
  } catch {
    return UNKNOWN; // damaged: held until its heartbeats end
  }
}

/** Makes a network file system ask its server for a folder's names: it may remember that one is missing. */
function syncNames(folder: string): void {
  try {
    Deno.openSync(folder).close();
  } catch (error) {
    if (systemErrorName(error) === null) throw error;
  }
}
