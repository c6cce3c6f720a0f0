/**
 * Rows of `deno task torture`: each counts what was tried, what survived, and what was lost.
 *
 * @module
 */
import { join } from "@std/path";
import { createRandom, hash, type Random } from "../../lib/support/random.ts";

/** One line of the table. */
export interface Row {
  kind: string;
  what: string;
  tries: number;
  survived: number;
  /** What was lost; empty is good. */
  lost: Loss[];
  seconds: number;
  /** A number worth knowing, such as a slope. */
  note?: string;
  /** What this machine lacks: the row was not run. */
  needs?: string;
}

/** A try that lost something. */
export interface Loss {
  /** Reproduces it, together with the row's kind and the seed. */
  how: string;
  why: string;
  /** Tries that were lost for the same reason. */
  times: number;
}

/** A kind of fault, with the rows that try it. */
export interface Kind {
  name: string;
  run(torture: Torture): Promise<void>;
}

/** Something that not every machine has. */
export type Need = "root" | "loop devices" | "Linux" | `program ${string}`;

/** A row while it is filled. */
export interface OpenRow {
  random: Random;
  /** Runs one try; it is lost if `work` throws. */
  try(how: string, work: () => unknown): Promise<void>;
  note(text: string): void;
}

/** What every kind gets. */
export interface Torture {
  quick: boolean;
  seed: number;
  /** Scratch space, removed at the end. */
  folder: string;
  rows: Row[];
  /** Picks the number of tries. */
  count(full: number, quick: number): number;
  /** Fills a row, or says what is missing for it. */
  row(what: string, needs: Need[], fill: (row: OpenRow) => Promise<void>): Promise<void>;
}

const MOST_LOSSES = 10; // reasons that a row describes; all losses are counted

/** Creates the rows of one kind. */
export function createTorture(kind: string, seed: number, quick: boolean, folder: string): Torture {
  const rows: Row[] = [];
  return {
    quick,
    seed,
    folder,
    rows,
    count: (full, few) => quick ? few : full,
    async row(what, needs, fill) {
      const row: Row = { kind, what, tries: 0, survived: 0, lost: [], seconds: 0 };
      rows.push(row);
      const lacking = needs.filter((need) => !has(need));
      if (lacking.length > 0) return void (row.needs = lacking.join(", ").replaceAll("program ", ""));
      const started = performance.now();
      const words = Array.from(kind + what, (letter) => letter.codePointAt(0)!);
      await fill({
        random: createRandom(seed, hash(...words)),
        async try(how, work) {
          row.tries++;
          try {
            await work();
            row.survived++;
          } catch (error) {
            const why = describe(error);
            const same = row.lost.find((loss) => loss.why === why);
            if (same) same.times++;
            else if (row.lost.length < MOST_LOSSES) row.lost.push({ how, why, times: 1 });
          }
        },
        note: (text) => void (row.note = text),
      });
      row.seconds = (performance.now() - started) / 1000;
    },
  };
}

/** The first lines of an error, and where it comes from if it is not an assertion. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = `${error.name}: ${error.message}`.replace(/\s+/g, " ").slice(0, 300);
  const place = /(lib|cli|notebooks|tests)\/\S+:\d+:\d+/.exec(error.stack ?? "")?.[0];
  return place === undefined ? text : `${text} (${place})`;
}

function has(need: Need): boolean {
  if (need === "Linux") return Deno.build.os === "linux";
  if (need === "root") return Deno.uid() === 0;
  if (need === "loop devices") return Deno.uid() === 0 && isThere("/dev/loop-control");
  const name = need.slice("program ".length);
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => isThere(join(folder, name)));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false; // missing, or not for this user
  }
}
