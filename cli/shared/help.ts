import { flagOf, negatedFlagOf, type Option } from "../../lib/support/options.ts";
import type { Command } from "./options.ts";

/** Where the explanations begin. */
const COLUMN = 28;

/**
 * The text of `--help`: usage, the options under their headings with their defaults, examples.
 *
 * @param width Columns to stay within.
 */
export function formatHelp<Values>(command: Command<Values>, width = helpWidth()): string {
  const { name, summary, positionals, examples = [] } = command;
  const options = Object.entries(command.options as Record<string, Option>);
  const usage = ["Usage:", name, positionals && usageOf(positionals), options.length > 0 && "[options]"];
  const lines = [...wrap(summary, width), "", usage.filter(Boolean).join(" ")];
  if (positionals !== undefined) lines.push("", ...formatEntry(positionals.name, positionals.help, width));
  const groups = Map.groupBy(options, ([, option]) => option.group);
  for (const [group, members] of groups) {
    lines.push("", group);
    for (const [name, option] of members) {
      lines.push(
        ...formatEntry(
          signatureOf(name, option),
          `${option.help} (default: ${defaultOf(name, option)})`,
          width,
        ),
      );
    }
  }
  lines.push("", ...formatEntry("--help, -h", "print this", width));
  if (examples.length > 0) lines.push("", "Examples");
  for (const [line, does] of examples) lines.push(...formatEntry(line, does, width));
  return lines.join("\n");
}

/** As wide as the terminal, but no wider than reads well; 100 where there is none. */
function helpWidth(): number {
  if (!Deno.stdout.isTerminal()) return 100;
  return Math.min(100, Math.max(60, Deno.consoleSize().columns));
}

function usageOf({ name, from }: { name: string; from: number }): string {
  return from === 0 ? `[${name}]` : name;
}

/** The option as one types it; a boolean that is on stands there with the flag that turns it off. */
function signatureOf(name: string, option: Option): string {
  if (option.kind === "boolean") return option.default === true ? negatedFlagOf(name) : flagOf(name);
  return `${flagOf(name)} ${option.value ?? option.choices?.join("|") ?? "VALUE"}`;
}

function defaultOf(name: string, option: Option): string {
  if (option.defaultText !== undefined) return option.defaultText;
  if (option.kind === "boolean") return option.default === true ? flagOf(name) : "off";
  return option.default === null ? option.nullWord ?? "none" : String(option.default);
}

function formatEntry(left: string, right: string, width: number): string[] {
  const lines = wrap(right, width - COLUMN).map((line) => " ".repeat(COLUMN) + line);
  const head = `  ${left}`;
  // two columns of air between them, or the explanation starts below
  return head.length + 2 > COLUMN
    ? [head, ...lines]
    : [head.padEnd(COLUMN) + lines[0].trimStart(), ...lines.slice(1)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line];
}
