/**
 * The rows of the bench: systems, and the forms each is used in.
 *
 * @module
 */
import { InputError } from "../lib/support/errors.ts";
import { suggest } from "../lib/support/schema.ts";

/** A row of the table. */
export interface Form {
  /** What it is called on the command line and between the processes. */
  row: string;
  /** What the table calls it. */
  label: string;
  /** Who runs it: `serve.ts`, or `pytorch/peer.py`. */
  side: "own" | "peer";
  /** Measured unless something else is asked for. */
  byDefault: boolean;
  /** Part of a quick trial. */
  isQuick: boolean;
}

/** All rows, in the table's order. */
export const FORMS: readonly Form[] = [
  form("plain", "plain TensorFlow.js", "own"),
  form("usual", "PyTorch, as usually written", "peer"),
  form("best", "PyTorch, tuned", "peer"),
  form("compiled", "PyTorch, tuned, torch.compile", "peer", { isQuick: false }),
  form("scripted", "PyTorch, tuned, TorchScript", "peer", { isQuick: false }),
  form("bf16", "PyTorch, tuned, bfloat16", "peer", { isQuick: false, byDefault: false }),
  form("loop", "ours, class by class", "own", { isQuick: false }),
  form("eager", "ours, operation by operation", "own"),
  form("direct", "ours, without Winograd", "own"),
  form("ours", "ours", "own"),
];

function form(row: string, label: string, side: Form["side"], changes: Partial<Form> = {}): Form {
  return { row, label, side, byDefault: true, isQuick: true, ...changes };
}

/** PyTorch's forms in float32, among which its best is looked for. */
export const FLOAT32_PEERS: readonly string[] = FORMS.filter(({ side, row }) =>
  side === "peer" && row !== "bf16"
)
  .map(({ row }) => row);

/** The form of a row. */
export function findForm(row: string): Form {
  return FORMS.find((form) => form.row === row)!;
}

/**
 * Reads a list of names, `a,b,c` or `all`.
 *
 * @param flag The option it was given by.
 * @throws {InputError} If there is no such name.
 */
export function parseNames(text: string, names: readonly string[], flag: string): string[] {
  if (text === "all") return [...names];
  const given = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  for (const name of given) {
    if (names.includes(name)) continue;
    const near = suggest(name, names);
    const advice = near === undefined ? `there are ${names.join(", ")}, or all.` : `did you mean ${near}?`;
    throw new InputError(`Cannot use ${flag} ${text}: there is no ${name}; ${advice}`);
  }
  if (given.length === 0) throw new InputError(`Cannot use ${flag} ${text}: it names nothing.`);
  return names.filter((name) => given.includes(name));
}

/**
 * Reads a list of batch sizes, `1,32,128`.
 *
 * @throws {InputError} If one is no positive integer.
 */
export function parseBatchSizes(text: string, flag: string): number[] {
  const sizes = text.split(",").map((part) => /^\s*\d+\s*$/.test(part) ? Number(part) : 0);
  if (sizes.some((size) => size < 1)) {
    throw new InputError(
      `Cannot use ${flag} ${text}: give whole numbers with commas between them, as 1,32,128.`,
    );
  }
  return [...new Set(sizes)].sort((one, other) => one - other);
}
