/**
 * Command lines: declaration, parsing and help of a command, by commander.
 *
 * A command is a constant: its options are {@linkcode Option}s by their camelCase names (`batchSize` is
 * `--batch-size`; a boolean has `--x` and `--no-x`), and its main function gets checked values of the
 * options' types:
 *
 * ```ts ignore
 * const COMMAND = {
 *   name: "deno task runs",
 *   summary: "Lists the runs in checkpoints/.",
 *   options: {
 *     sort: { schema: choice(["name", "accuracy"]), default: "name", group: "Output", help: "order of the rows", value: "COLUMN" },
 *     plot: { schema: text().nullable(), group: "Output", help: "draw the runs' curves", value: "FILE.svg" },
 *     json: JSON_OPTION,
 *   },
 *   positionals: { name: "RUN", help: "runs to list; all by default", from: 0, to: Infinity },
 *   examples: [["deno task runs --sort accuracy", "best run first"]],
 * } satisfies Command;
 *
 * async function main({ values: { sort, plot, json }, positionals }: CommandLine<typeof COMMAND>) { … }
 *
 * if (import.meta.main) await runCommand(COMMAND, main); // ./command.ts
 * ```
 */
import { Command as Parser, CommanderError, Help, Option as ParserOption } from "commander";
import { resolve } from "@std/path";
import { z } from "zod";
import { InputError } from "../../lib/support/errors.ts";
import { findProblem, flag, listWords, type Option, suggest, text } from "../../lib/support/schema.ts";
import { consoleSize } from "./terminal.ts";

/** A command: its name, options and arguments. */
export interface Command {
  /** As typed: `deno task train`. */
  name: string;
  /** One or two sentences at the top of `--help`. */
  summary: string;
  /** Options by their camelCase names; `--help` is added. */
  options: Readonly<Record<string, Option>>;
  /** Arguments beside the options; none by default. */
  positionals?: Positionals;
  /** Example command lines, each with a short description. */
  examples?: readonly (readonly [line: string, does: string])[];
}

/** The arguments of a command beside its options. */
export interface Positionals {
  /** Name in the usage line and in messages: `RUN|FILE`. */
  name: string;
  /** One line for `--help`. */
  help: string;
  from: number;
  to: number;
}

/** The values of a command's options. */
export type ValuesOf<Given extends Command> = {
  -readonly [Name in keyof Given["options"]]: z.output<Given["options"][Name]["schema"]>;
};

/** A parsed and checked command line. */
export interface CommandLine<Given extends Command = Command> {
  /** Options on the command line. */
  given: Partial<ValuesOf<Given>>;
  /** Options on the command line, and defaults of the others. */
  values: ValuesOf<Given>;
  positionals: string[];
}

/** `--json`, of commands that print one JSON object. */
export const JSON_OPTION = flag("print the result as one JSON object on standard output", "Output");

/** `--config`, of commands that train. */
export const CONFIG_OPTION = {
  schema: text().nullable(),
  group: "Run",
  help: "options from a JSON file, such as a run's config.json; the command line wins",
  value: "FILE",
} satisfies Option;

/** `RUN|FILE`, of commands that use a trained network. */
export const CHECKPOINT_ARGUMENT: Positionals = {
  name: "RUN|FILE",
  help: "a run, whose best epoch is used, or a checkpoint file",
  from: 1,
  to: 1,
};

/** Makes a configuration's paths absolute, so that the run can be resumed from another folder. */
export function absolutePaths<Config extends { data: string | null; weights: string | null }>(
  config: Config,
): Config {
  const absolute = (path: string | null) =>
    path === null || path === "synthetic" || path === "random" ? path : resolve(path);
  return { ...config, data: absolute(config.data), weights: absolute(config.weights) };
}

/** The flag of an option: `batchSize` → `--batch-size`. */
export function flagOf(name: string): string {
  return "--" + name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/** Formats an option with a value as typed on the command line: `--batch-size 64`, `--no-augment`. */
export function showFlag(name: string, value: unknown): string {
  if (typeof value === "boolean") return value ? flagOf(name) : negatedFlagOf(name);
  return `${flagOf(name)} ${value}`;
}

function negatedFlagOf(name: string): string {
  return flagOf(name).replace("--", "--no-");
}

/**
 * Reads a command's arguments: `--name value`, `--name=value`, `--flag`, `--no-flag`, negative numbers, `--`
 * before arguments that begin with a dash.
 *
 * @returns Null where help is asked for.
 * @throws {InputError} For the first option that is unknown, repeated, without a value or with an invalid
 * one.
 */
export function parseCommandLine<Given extends Command>(
  command: Given,
  args: string[],
): CommandLine<Given> | null {
  const end = args.indexOf("--");
  if (args.slice(0, end < 0 ? undefined : end).some((arg) => arg === "--help" || arg === "-h")) return null;
  const { parser, flags } = createParser(command);
  const given: Record<string, unknown> = {};
  const seen = new Map<string, string>();
  for (const [flag, name] of flags) {
    parser.on(`option:${flag.slice(2)}`, (value?: string) => {
      const earlier = seen.get(name);
      if (earlier !== undefined) {
        const both = earlier === flag ? `${flag} twice` : `${earlier} and ${flag} together`;
        throw new InputError({ what: `use ${both}`, why: "leave one of them out" });
      }
      seen.set(name, flag);
      const option = command.options[name];
      if (isBoolean(option)) given[name] = flag === flagOf(name);
      // `--run --epochs 3` forgot a value, but `--learning-rate -1` gave one
      else if (/^-+[a-z]/i.test(value!) && !args.includes(`${flag}=${value}`)) {
        throw missingValue(option, flag);
      } else given[name] = readValue(option, flag, value!);
    });
  }
  const { operands, unknown } = parseOptions(
    parser,
    args,
    (flag) => missingValue(command.options[flags.get(flag)!], flag),
  );
  if (unknown.length > 0) throw unknownOption(unknown[0], [...flags.keys()], command.name);
  checkPositionals(command, operands);
  const missing = Object.entries(command.options).find(([name, { isRequired }]) =>
    isRequired && !(name in given)
  );
  if (missing !== undefined) {
    const [flag, value] = [flagOf(missing[0]), valueName(missing[1])];
    const line = [command.name, ...operands, flag, value].join(" ");
    throw new InputError({ what: `start without ${flag}`, why: `write ${line}` });
  }
  const defaults = Object.entries(command.options).map(([name, option]) => [name, option.default ?? null]);
  const values = { ...Object.fromEntries(defaults), ...given };
  return { given: given as Partial<ValuesOf<Given>>, values, positionals: operands };
}

/** A commander command with the options, and the options' names by flag. */
function createParser(
  { name, summary, options, positionals }: Command,
): { parser: Parser; flags: Map<string, string> } {
  const parser = new Parser(name).description(summary).exitOverride().configureOutput({ writeErr: () => {} });
  parser.addHelpOption(new ParserOption("-h, --help", "print this help").helpGroup("Help:"));
  if (positionals !== undefined) {
    const { name, help, from, to } = positionals;
    const dots = to > Math.max(1, from) ? "..." : "";
    parser.argument(from > 0 ? `<${name}${dots}>` : `[${name}${dots}]`, help);
  }
  const flags = new Map<string, string>();
  const add = (name: string, flag: string, value: string, help: string, isHidden = false) => {
    flags.set(flag, name);
    parser.addOption(
      new ParserOption(flag + value, help).helpGroup(`${options[name].group ?? "Options"}:`).hideHelp(
        isHidden,
      ),
    );
  };
  for (const [name, option] of Object.entries(options)) {
    const { help, helpOff = help } = option;
    if (isBoolean(option)) {
      add(name, flagOf(name), "", help, option.default === true);
      add(name, negatedFlagOf(name), "", helpOff, option.default !== true);
    } else {
      add(name, flagOf(name), ` <${valueName(option)}>`, describeOption(option));
    }
  }
  return { parser, flags };
}

/** Parses by commander; a missing value at the end gets our own message. */
function parseOptions(parser: Parser, args: string[], missing: (flag: string) => InputError) {
  try {
    return parser.parseOptions(args);
  } catch (error) {
    throw error instanceof CommanderError ? missing(args.at(-1)!) : error;
  }
}

function isBoolean({ schema }: Option): boolean {
  return schema instanceof z.ZodBoolean;
}

function withoutNull({ schema }: Option): z.ZodType {
  return schema instanceof z.ZodNullable ? schema.unwrap() as z.ZodType : schema;
}

function choicesOf(option: Option): string[] {
  const schema = withoutNull(option);
  return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
}

/** Placeholder of a value: the choices if short, else a word (the description then lists the choices). */
function valueName(option: Option): string {
  if (option.value !== undefined) return option.value;
  if (withoutNull(option) instanceof z.ZodNumber) return "N";
  const choices = choicesOf(option).join("|");
  return choices !== "" && choices.length <= 20 ? choices : "NAME";
}

function readValue(option: Option, flag: string, text: string): unknown {
  if (text === option.nullWord) return null;
  const schema = withoutNull(option);
  // Number() alone would take "", " 5", "0x10" and "Infinity" as well
  const isNumber = schema instanceof z.ZodNumber && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const value = isNumber ? Number(text) : text;
  const problem = findProblem(schema, value);
  if (problem === null) return value;
  const orNull = option.nullWord === undefined ? "" : `, or ${option.nullWord}`;
  throw new InputError({ what: `use ${flag} ${text || '""'}`, why: `it ${problem.must}${orNull}` });
}

function missingValue(option: Option, flag: string): InputError {
  return new InputError({ what: `use ${flag} without a value`, why: `write ${flag} ${valueName(option)}` });
}

function unknownOption(arg: string, flags: string[], command: string): InputError {
  const [flag, value] = arg.split("=");
  if (value !== undefined && flags.includes(flag)) {
    return new InputError({ what: `use ${arg}`, why: `${flag} takes no value` });
  }
  const near = suggest(flag, flags);
  const advice = near === undefined ? `See ${command} --help.` : `Did you mean ${near}?`;
  return new InputError(`Unknown option ${flag}. ${advice}`);
}

function checkPositionals({ name, positionals }: Command, given: string[]): void {
  const { from, to } = positionals ?? { from: 0, to: 0 };
  if (given.length < from) {
    const wanted = positionals!.name;
    throw new InputError({
      what: `start without ${wanted}`,
      why: `write ${name} ${wanted}, or see ${name} --help`,
    });
  }
  if (given.length > to) {
    const most = to === 0 ? "options only" : `${to} at most`;
    throw new InputError({
      what: `use the argument ${JSON.stringify(given[to])}`,
      why: `${name} takes ${most}; see ${name} --help`,
    });
  }
}

/** An option's line in `--help`: description, choices, default. */
function describeOption(option: Option): string {
  const choices = choicesOf(option);
  const isListed = choices.length > 0 && valueName(option) !== choices.join("|");
  const words = isListed ? `${option.help}: ${listWords(choices)}` : option.help;
  const standard = option.defaultText ?? option.default ?? option.nullWord;
  if (option.isRequired) return `${words} (required)`;
  return standard === undefined || standard === null ? words : `${words} (default: ${standard})`;
}

/**
 * The text of `--help`: usage, options under their headings with their defaults, examples.
 *
 * @param width Columns to stay within: those of the terminal, 80 where there is none.
 */
export function formatHelp(
  command: Command,
  width = Deno.stdout.isTerminal() ? Math.min(100, Math.max(40, consoleSize().columns)) : 80,
): string {
  const helper = new HelpPage(width);
  const examples = (command.examples ?? []).map(([line, does]) =>
    helper.formatItem(line, helper.padWidth(), does)
  );
  const page = helper.formatHelp(createParser(command).parser, helper).trimEnd();
  return [page, ...(examples.length > 0 ? ["", "Examples:", ...examples] : [])].join("\n");
}

/** Commander's help with a narrow left column; longer terms have their description below. */
class HelpPage extends Help {
  override minWidthToWrap = 20;

  constructor(override helpWidth: number) {
    super();
  }

  override padWidth(): number {
    return this.helpWidth < 80 ? 18 : 24;
  }

  override formatItem(term: string, width: number, description: string): string {
    const beside = super.formatItem(term.length > width ? "" : term, width, description, this);
    return term.length > width ? `  ${term}\n${beside}` : beside;
  }
}
