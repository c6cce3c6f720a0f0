import { InputError } from "./errors.ts";

/** The numbers an option admits: a bound may belong to the range (`from`, `to`) or not (`above`, `below`). */
export interface Range {
  from?: number;
  above?: number;
  to?: number;
  below?: number;
}

/**
 * One row of a table of options. Flags, `--help`, the configuration file and the checks of values all come from it, so that none of
 * them can say something else. The row's key in its table is the option's name in camelCase; {@linkcode flagOf} makes the flag of it.
 */
export interface Option<Value = unknown> {
  /** What a value must be. */
  kind: "string" | "integer" | "number" | "boolean" | "choice";
  /** The words a `choice` is between. */
  choices?: readonly Value[];
  /** The numbers allowed; all of them by default. */
  range?: Range;
  /** For a `string`: what it must look like, beside the words that say so. */
  pattern?: { expression: RegExp; words: string };
  /** The word that stands for `null` on the command line; without one, `null` cannot be given. */
  nullWord?: string;
  /** The value when nobody gave one. */
  default: Value;
  /** The default in words, for `--help`, where the value alone would not say it. */
  defaultText?: string;
  /** The heading of `--help` it stands under. */
  group: string;
  /** One line for `--help`, no full stop. */
  help: string;
  /** What stands for the value in `--help`: `N`, `PATH|synthetic`. */
  value?: string;
}

/** An option for each name of `Values`, in the order of `--help`. */
export type OptionTable<Values> = { readonly [Name in keyof Values]: Option<Values[Name]> };

/**
 * The flag of an option: `batchSize` → `--batch-size`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { flagOf } from "./options.ts";
 * assert.equal(flagOf("learningRate"), "--learning-rate");
 * ```
 */
export function flagOf(name: string): string {
  return "--" + name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/** The flag that turns a boolean option off: `augment` → `--no-augment`. */
export function negatedFlagOf(name: string): string {
  return flagOf(name).replace("--", "--no-");
}

/** The option as one would type it to get `value`: `--batch-size 64`, `--no-augment`, `--subset all`. */
export function showOption(name: string, option: Option, value: unknown): string {
  if (option.kind === "boolean") return value ? flagOf(name) : negatedFlagOf(name);
  return `${flagOf(name)} ${value === null ? option.nullWord ?? "none" : value}`;
}

/** What a value of this option must be, in words that follow "it must be". */
export function describeValues(option: Option): string {
  const choices = (option.choices ?? []).map(String);
  const words = {
    string: option.pattern?.words ?? "some text",
    integer: "a whole number" + describeRange(option.range),
    number: "a number" + describeRange(option.range),
    boolean: "true or false",
    choice: choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`,
  }[option.kind];
  return option.nullWord === undefined ? words : `${words}, or ${option.nullWord}`;
}

function describeRange({ from, above, to, below }: Range = {}): string {
  const parts = [
    from !== undefined && `of at least ${from}`,
    above !== undefined && `above ${above}`,
    to !== undefined && `of at most ${to}`,
    below !== undefined && `below ${below}`,
  ].filter(Boolean);
  return parts.length === 0 ? "" : " " + parts.join(" and ");
}

/**
 * Checks a value that is already a JavaScript value, such as one read from JSON.
 *
 * @param label How to name option and value in the message: `--batch-size 0`, `batchSize 0 in recipe.json`.
 * @throws {InputError} if the value is not one of the option's.
 */
export function checkOptionValue<Value>(option: Option<Value>, value: unknown, label: string): Value {
  if (!admits(option, value)) {
    const words = option.nullWord === undefined || label.startsWith("--")
      ? describeValues(option)
      : `${describeValues({ ...option, nullWord: undefined })}, or null`;
    throw new InputError(`Cannot use ${label}: it must be ${words}.`);
  }
  return value as Value;
}

/**
 * Reads a value from its text on the command line and checks it.
 *
 * @throws {InputError} if the text does not stand for one of the option's values.
 */
export function parseOptionText<Value>(option: Option<Value>, text: string, label: string): Value {
  if (option.nullWord !== undefined && text === option.nullWord) return null as Value;
  const isNumber = option.kind === "integer" || option.kind === "number";
  // Number() alone would take "", " 5", "0x10" and "Infinity" as well
  const value = isNumber && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
  return checkOptionValue(option, value, label);
}

function admits(option: Option, value: unknown): boolean {
  if (value === null) return option.nullWord !== undefined;
  switch (option.kind) {
    case "boolean":
      return typeof value === "boolean";
    case "choice":
      return option.choices!.includes(value);
    case "string":
      return typeof value === "string" && (option.pattern?.expression ?? /./).test(value);
    case "integer":
      return Number.isSafeInteger(value) && isInRange(value as number, option.range);
    case "number":
      return Number.isFinite(value) && isInRange(value as number, option.range);
  }
}

function isInRange(value: number, { from, above, to, below }: Range = {}): boolean {
  return (from === undefined || value >= from) && (above === undefined || value > above) &&
    (to === undefined || value <= to) && (below === undefined || value < below);
}

/**
 * The candidate that `word` was most likely meant to be, if one is near: `leraning-rate` → `learning-rate`.
 *
 * Near means at most a third of the letters changed, left out, added or swapped with their neighbour, or one beginning the other.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(word);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const offered = plain(candidate);
    const isBeginning = wanted.length >= 3 && (offered.startsWith(wanted) || wanted.startsWith(offered));
    const distance = editDistance(wanted, offered);
    const limit = isBeginning
      ? Infinity
      : Math.max(1, Math.floor(Math.max(wanted.length, offered.length) / 3));
    if (distance <= limit && distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/**
 * The error for a name that no option has, with the one it was likely meant to be.
 *
 * @param label How to name it in the message.
 * @param nameOf How to write a name of the table where the user wrote this one: {@linkcode flagOf} on a command line.
 */
export function unknownOption(
  label: string,
  name: string,
  names: Iterable<string>,
  nameOf: (name: string) => string,
): InputError {
  const near = suggest(name, names);
  return new InputError(
    `Unknown option ${label}.` + (near === undefined ? "" : ` Did you mean ${nameOf(near)}?`),
  );
}

/** Letters to change, leave out, add, or swap with their neighbour, to make one word of the other. */
function editDistance(from: string, to: string): number {
  const rows = Array.from(
    { length: from.length + 1 },
    (_, i) => [i, ...new Array<number>(to.length).fill(0)],
  );
  for (let j = 1; j <= to.length; j++) rows[0][j] = j;
  for (let i = 1; i <= from.length; i++) {
    for (let j = 1; j <= to.length; j++) {
      const changed = rows[i - 1][j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      rows[i][j] = Math.min(changed, rows[i - 1][j] + 1, rows[i][j - 1] + 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (isSwap) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[from.length][to.length];
}
