/** Validates external values (command line, JSON files) with zod; errors are one sentence. */
import { distance } from "fastest-levenshtein";
import * as z from "zod";
import { InputError } from "./errors.ts";
import { isPlainText } from "./format.ts";

/** A setting: check, default and description, for command lines, `--help` and configuration files. */
export interface Option<Value = unknown> {
  /** Type and check; nullable where "off" is a value. */
  schema: z.ZodType<Value>;
  /** Default value. @default null */
  default?: Value;
  /** The default in words, if the value alone is not clear. */
  defaultText?: string;
  /** True if a command line must have it. */
  isRequired?: boolean;
  /** Word for `null` on the command line; without it, `null` cannot be given. */
  nullWord?: string;
  /** Heading in `--help`. @default {"Options"} */
  group?: string;
  /** Description: one line without a full stop. */
  help: string;
  /** Description of the flag that turns off a boolean that is on by default. */
  helpOff?: string;
  /** Placeholder of the value in `--help`: `FILE`, `PATH|synthetic`. */
  value?: string;
}

/** Bounds of a number: inclusive (`from`, `to`) or exclusive (`above`, `below`). */
export interface Range {
  from?: number;
  above?: number;
  to?: number;
  below?: number;
}

/** Schema of a safe integer within a range. Its issues read "must be a whole number of at least 1". */
export function integer(range: Range = {}): z.ZodNumber {
  const error = `must be a whole number${wordRange(range)}`;
  return withRange(z.int({ error }), range, error);
}

/** Schema of a number within a range, also when TensorFlow has rounded it to single precision. */
export function number(range: Range = {}): z.ZodNumber {
  const error = `must be a number${wordRange(range)}`;
  const { above = -Infinity, below = Infinity } = range;
  const isInside = (value: number) => Math.fround(value) > above && Math.fround(value) < below;
  return withRange(z.number({ error }), range, error).refine(isInside, {
    error: `${error}, also when rounded to single precision`,
  });
}

/** Schema of a fraction, 0–1. */
export function share(): z.ZodNumber {
  return number({ from: 0, to: 1 });
}

/** Schema of a boolean. */
export function boolean(): z.ZodBoolean {
  return z.boolean({ error: "must be true or false" });
}

/** Makes a boolean option that is off by default. */
export function flag(help: string, group?: string): Option<boolean> {
  return { schema: boolean(), default: false, help, ...(group !== undefined && { group }) };
}

/** Makes an option of text that is off by default; `value` is its placeholder. */
export function textOption(help: string, value: string, more: Partial<Option<string | null>> = {}) {
  return { schema: text().nullable(), help, value, ...more };
}

/** Schema of one of several words. */
export function choice<const Words extends readonly string[]>(
  words: Words,
): z.ZodEnum<z.core.util.ToEnum<Words[number]>> {
  return z.enum(words, { error: `must be ${listWords(words)}` });
}

/** Schema of non-empty text, or of text that matches a pattern described by `words`. */
export function text(pattern = /./, words = "some text"): z.ZodString {
  const error = `must be ${words}`;
  return z.string({ error }).regex(pattern, { error });
}

/** Schema of a line of text that is printed: bounded, without characters that a terminal would obey. */
export function plainText(maximum = 500): z.ZodString {
  const error = `must be one line of plain text, of at most ${maximum} characters`;
  return z.string({ error }).max(maximum, { error }).refine(isPlainText, { error });
}

function withRange(schema: z.ZodNumber, { from, above, to, below }: Range, error: string): z.ZodNumber {
  if (from !== undefined) schema = schema.gte(from, { error });
  if (above !== undefined) schema = schema.gt(above, { error });
  if (to !== undefined) schema = schema.lte(to, { error });
  return below === undefined ? schema : schema.lt(below, { error });
}

function wordRange({ from, above, to, below }: Range): string {
  const parts = [
    from !== undefined && `of at least ${from}`,
    above !== undefined && `above ${above}`,
    to !== undefined && `of at most ${to}`,
    below !== undefined && `below ${below}`,
  ].filter(Boolean);
  return parts.length === 0 ? "" : " " + parts.join(" and ");
}

/** Joins words in a sentence: "cpu or gpu", "sgd, adam or lion". */
export function listWords(words: readonly unknown[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/**
 * Parses JSON and validates it.
 *
 * @param what Source of the JSON; completes "Cannot read …": a path, "the metadata of x.safetensors".
 * @throws {InputError} If it is not JSON, has a name twice, or for the first entry that violates the schema.
 */
export function parseJson<Schema extends z.ZodType>(
  schema: Schema,
  json: string,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new InputError({ what: `read ${what}`, why: `it is not JSON (${(cause as Error).message})` }, {
      cause,
    });
  }
  const twice = findDuplicateKey(json);
  if (twice !== null) throw new InputError({ what: `read ${what}`, why: `it has ${twice} twice` });
  return checkValue(schema, value, `read ${what}`);
}

/**
 * Finds the first name that stands twice in one object of a valid JSON text; null if there is none. It is a
 * loop, since a regular expression overflows its stack on a long text.
 */
export function findDuplicateKey(json: string): string | null {
  const open: Set<string>[] = []; // the names in each object around this place
  let [start, end] = [0, 0]; // of the latest text in quotes
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      for (start = at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      end = at + 1;
    } else if (character === "{") open.push(new Set());
    else if (character === "}") open.pop();
    else if (character === ":") {
      const key: string = JSON.parse(json.slice(start, end));
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
  return null;
}

/**
 * Validates a JavaScript value.
 *
 * @param what Completes "Cannot …" in the error.
 * @throws {InputError} For the first entry that violates the schema.
 */
export function checkValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const { data, problem } = inspect(schema, value);
  if (problem !== null) {
    throw new InputError({ what, why: `${problem.path || "it"} ${problem.must}` });
  }
  return data;
}

/** The first entry of a value that violates a schema. */
export interface SchemaProblem {
  /** `seeds[0].accuracy`; empty for the value itself. */
  path: string;
  /** Completes a sentence about the entry: "must be a number", "is missing", "is not known". */
  must: string;
}

/** Finds the first entry that violates a schema; null if there is none. */
export function findProblem(schema: z.ZodType, value: unknown): SchemaProblem | null {
  return inspect(schema, value).problem;
}

type Inspection<Data> = { data: Data; problem: null } | { data: null; problem: SchemaProblem };

function inspect<Schema extends z.ZodType>(schema: Schema, value: unknown): Inspection<z.output<Schema>> {
  const { data, error } = schema.safeParse(value, { error: wordIssue });
  if (error === undefined) return { data: data!, problem: null };
  const [issue] = error.issues;
  const keys = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]] : issue.path;
  const path = keys.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
  return { data: null, problem: { path: path.replace(/^\./, ""), must: issue.message } };
}

const TYPES: Record<string, string> = {
  int: "a whole number",
  object: "an object",
  record: "an object",
  array: "an array",
  string: "text",
};

/** Words an issue whose schema has no message of its own. */
function wordIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined && issue.code === "invalid_type") return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected] ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return `must be ${listWords(issue.values.map((value) => JSON.stringify(value)))}`;
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    case "unrecognized_keys":
      return "is not known";
    default:
      return "is of another form";
  }
}

/** Creates the error for a name that is none of a list. */
export function unknownName(what: string, why: string, name: string, known: readonly string[]): InputError {
  const near = suggest(name, known);
  const advice = near === undefined ? `choose from ${known.join(", ")}` : `perhaps you mean ${near}`;
  return new InputError({ what, why, next: [{ advice }] });
}

/**
 * Suggests the candidate closest to a misspelt word: up to a third of the letters differ,
 * or one begins the other. Case and punctuation do not count.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(word.slice(0, 100)); // the time grows with the length
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const offered = plain(candidate);
    const isBeginning = wanted.length >= 3 && (offered.startsWith(wanted) || wanted.startsWith(offered));
    const edits = distance(wanted, offered);
    const limit = isBeginning ? Infinity : Math.ceil(Math.max(wanted.length, offered.length) / 3);
    if (edits <= limit && edits < bestDistance) [best, bestDistance] = [candidate, edits];
  }
  return best;
}

/** Tells whether a value is an object with named fields: neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
