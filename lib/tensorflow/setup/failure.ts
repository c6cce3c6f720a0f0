import { InputError } from "../../support/errors.ts";
import { logPlace, type Workplace } from "./workplace.ts";

/** What pip and compilers say when it went wrong, and what the user can do; the first that matches is told. */
const REASONS: [expression: RegExp, reason: string, cure: string][] = [
  [/No space left on device|Disk quota exceeded/i, "the disk is full", "free some space"],
  [
    /Temporary failure in name resolution|Name or service not known|Network is unreachable|Failed to establish a new connection|Connection (refused|reset|aborted)|Read timed out|ProxyError|NewConnectionError|ConnectTimeout/i,
    "the network, or the package index on it, does not answer",
    "check the connection and pip's settings (`pip config list`)",
  ],
  [
    /CERTIFICATE_VERIFY_FAILED|SSLError/i,
    "the package index's certificate is not trusted here",
    "check the clock and pip's settings (`pip config list`)",
  ],
  [
    /No matching distribution found for ([^\s;]+)|Could not find a version that satisfies/i,
    "the package index has no fitting package",
    "check pip's settings (`pip config list`), and that this is Linux on x86-64 or ARM64",
  ],
  [
    /Permission denied|Read-only file system/i,
    "a file may not be written",
    "check the project folder's permissions",
  ],
];

/**
 * The error for a failed step, in one line: what failed, why as far as the program's output tells, what to do, where to read more.
 *
 * @param cure What to do, where that is known without the output.
 */
export function explainFailure(what: string, output: string, place: Workplace, cure?: string): InputError {
  const [, reason, usualCure] = REASONS.find(([expression]) => expression.test(output)) ?? [];
  const advice = cure ?? usualCure ?? "read what went wrong";
  return new InputError(
    `${what}${reason === undefined ? "" : `: ${reason}`}. ${advice[0].toUpperCase()}${advice.slice(1)}, ` +
      `then run \`deno task setup\` again; details are in ${logPlace(place)}.`,
  );
}
