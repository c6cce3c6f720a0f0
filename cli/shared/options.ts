import { parseArgs } from "node:util";
import { formatHelp } from "./help.ts";
import { InputError } from "../../lib/support/errors.ts";
import {
  describeValues,
  flagOf,
  negatedFlagOf,
  type Option,
  type OptionTable,
  parseOptionText,
  suggest,
  unknownOption,
} from "../../lib/support/options.ts";

/** What a command of the project is called and takes. */
export interface Command<Values> {
  /** As one types it: `deno task train`. */
  name: string;
  /** One sentence for the top of `--help`. */
  summary: string;
  /** Its options; `--help` is added. */
  options: OptionTable<Values>;
  /** Its arguments beside the options; none by default. */
  positionals?: Positionals;
  /** Command lines worth showing, each with what it does. */
  examples?: readonly (readonly [line: string, does: string])[];
}

/** The arguments a command takes beside its options. */
export interface Positionals {
  /** For usage line and messages: `RUN|FILE`, `IMAGE…`. */
  name: string;
  /** One line for `--help`. */
  help: string;
  from: number;
  to: number;
}

/** A command line that was read and checked. */
export interface CommandLine<Values> {
  /** Only what was given. */
  given: Partial<Values>;
  /** What was given, and the defaults. */
  values: Values;
  positionals: string[];
}

/** Thrown by {@linkcode parseCommandLine} for `--help`, so that a command is left at once; its message is the help. */
export class HelpRequest extends Error {
  override name = "HelpRequest";
}

/**
 * Reads a command's arguments: `--name value`, `--name=value`, `--flag`, `--no-flag`, negative numbers, `--` before arguments that
 * begin with a dash.
 *
 * @throws {HelpRequest} for `--help` or `-h`.
 * @throws {InputError} naming the option that is unknown, given twice, without a value, or with one it cannot have.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type Command, parseCommandLine } from "./options.ts";
 * const command: Command<{ count: number }> = {
 *   name: "deno task tell",
 *   summary: "Tells something.",
 *   options: { count: { kind: "integer", default: 1, group: "What", help: "how often", value: "N" } },
 * };
 * assert.deepEqual(parseCommandLine(command, ["--count", "3"]).values, { count: 3 });
 * ```
 */
export function parseCommandLine<Values>(command: Command<Values>, args: string[]): CommandLine<Values> {
  const options = command.options as Record<string, Option>;
  const byFlag = new Map<string, string>();
  for (const [name, option] of Object.entries(options)) {
    byFlag.set(flagOf(name), name);
    if (option.kind === "boolean") byFlag.set(negatedFlagOf(name), name);
  }
  if (args.some((arg, index) => (arg === "--help" || arg === "-h") && !args.slice(0, index).includes("--"))) {
    throw new HelpRequest(formatHelp(command));
  }
  const types = [...byFlag].map(([flag, name]) => {
    const type = options[name].kind === "boolean" ? "boolean" as const : "string" as const;
    return [flag.slice(2), { type }];
  });
  // not strict: its own messages name neither the value wanted nor what was likely meant
  const { tokens } = parseArgs({ args, options: Object.fromEntries(types), strict: false, tokens: true });
  const given: Record<string, unknown> = {};
  const seen = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = token.rawName.startsWith("--") ? token.rawName : args[token.index].split("=")[0];
    const name = byFlag.get(flag);
    if (name === undefined) throw unknownFlag(flag, [...byFlag.keys()], command.name);
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      const both = earlier === flag ? `${flag} twice` : `${earlier} and ${flag} together`;
      throw new InputError(`Cannot use ${both}: leave one of them out.`);
    }
    seen.set(name, flag);
    given[name] = readValue(options[name], flag, token.value, token.inlineValue);
  }
  checkPositionals(command, positionals);
  const defaults = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, option.default]),
  );
  return { given: given as Partial<Values>, values: { ...defaults, ...given } as Values, positionals };
}

function readValue(
  option: Option,
  flag: string,
  text: string | undefined,
  inline: boolean | undefined,
): unknown {
  if (option.kind === "boolean") {
    if (text === undefined) return !flag.startsWith("--no-");
    throw new InputError(`Cannot use ${flag}=${text}: ${flag} takes no value.`);
  }
  // `--run --epochs 3` forgot a value, but `--learning-rate -1` gave one
  if (text === undefined || (!inline && /^-+[a-z]/i.test(text))) {
    const wanted = option.value ?? describeValues(option);
    throw new InputError(`Cannot use ${flag} without a value: write ${flag} ${wanted}.`);
  }
  return parseOptionText(option, text, `${flag} ${text === "" ? '""' : text}`);
}

function unknownFlag(flag: string, flags: string[], command: string): InputError {
  const error = unknownOption(flag, flag, flags, (near) => near);
  return suggest(flag, flags) === undefined
    ? new InputError(`${error.message} See ${command} --help for all there are.`)
    : error;
}

function checkPositionals({ name, positionals }: Command<unknown>, given: string[]): void {
  const { from, to } = positionals ?? { from: 0, to: 0 };
  if (given.length < from) {
    throw new InputError(
      `Cannot start without ${positionals!.name}: write ${name} ${positionals!.name}, or see ${name} --help.`,
    );
  }
  if (given.length > to) {
    throw new InputError(
      `Cannot use the argument ${JSON.stringify(given[to])}: ${name} takes ` +
        `${to === 0 ? "options only" : `${to} at most`}; see ${name} --help.`,
    );
  }
}
