import { InputError } from "../../lib/support/errors.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { makeTemporaryFolder } from "../../lib/support/temporary_folder.ts";

/** A value that typst supports. */
export type TypstValue = string | number | boolean | null | readonly TypstValue[] | TypstDictionary;

interface TypstDictionary {
  readonly [key: string]: TypstValue;
}

/** Writes a value as typst source. */
export function toTypst(value: TypstValue): string {
  if (value === null) return "none";
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `(${value.map((each) => toTypst(each) + ",").join(" ")})`;
  const entries = Object.entries(value).map(([key, each]) => `${toTypst(key)}: ${toTypst(each)}`);
  return entries.length === 0 ? "(:)" : `(${entries.join(", ")})`;
}

function isList(value: object): value is readonly TypstValue[] {
  return Array.isArray(value);
}

/** Pandoc's name of embedded typst: a random one, so that no notebook or result can run typst. */
export const RAW_FORMAT = `typst${crypto.randomUUID().replaceAll("-", "")}`;

/** Embeds typst in a paragraph of Markdown. */
export function inline(typst: string): string {
  return `\`${typst}\`{=${RAW_FORMAT}}`;
}

/** Embeds typst between paragraphs of Markdown. */
export function block(typst: string): string {
  return `\n\n\`\`\`\`{=${RAW_FORMAT}}\n${typst}\n\`\`\`\`\n\n`;
}

/** Writes a call of a typst function whose last arguments are Markdown, in pieces. */
export function call(
  name: string,
  options: Record<string, TypstValue>,
  bodies: string[],
  label: string,
): string[] {
  const given = Object.entries(options).map(([key, value]) => `${key}: ${toTypst(value)}`).join(", ");
  const inside = bodies.flatMap((body, at) => at === 0 ? [body] : [block("]["), body]);
  return [block(`#${name}(${given})[`), ...inside, block(`] <${label}>`)];
}

/** Escapes text for a paragraph of Markdown: also what is special at the beginning of a line only. */
export function escapeParagraph(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>$~^]/g, "\\$&");
}

const MAXIMUM_SECONDS = 300; // usually one or two

/**
 * Runs a program of the report's packages.
 *
 * @param program For messages.
 * @throws {InputError} If it cannot start, fails, or is ended by a signal.
 */
export async function runPython(program: string, python: string, args: string[], input = "") {
  using folder = makeTemporaryFolder(); // pandoc makes files too
  const child = await startProcess(python, args, { input: true, env: { TMPDIR: folder.path } });
  child.write(input);
  child.closeInput();
  const timer = setTimeout(() => child.kill("SIGKILL"), 1000 * MAXIMUM_SECONDS);
  const { code, signal, stdout, stderr } = await child.ended;
  clearTimeout(timer);
  if (code === 0) return { stdout, stderr };
  const what = `make the report by ${program}`;
  if (signal !== null) {
    const next = [{ advice: "close other programs if the machine is out of memory, and start again" }];
    const why = `${signal} ended it, as where memory runs out or after ${MAXIMUM_SECONDS} seconds`;
    throw new InputError({ what, why, next });
  }
  const lines = stderr.trim().split("\n"); // Python's message is the last one, pandoc's the first
  const message = lines.at(lines[0].startsWith("Traceback") ? -1 : 0);
  const why = `it failed (${message || `exit code ${code}`})`;
  throw new InputError({ what, why, next: [{ advice: "delete the folder .venv, which is then made anew" }] });
}
