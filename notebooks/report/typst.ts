import { dirname, join } from "@std/path";
import { figureFonts } from "../../lib/figures/fonts.ts";
import { InputError } from "../../lib/support/errors.ts";
import { startProcess } from "../../lib/support/processes.ts";
import { makeTemporaryFolder } from "../../lib/tensorflow/temporary_folder.ts";

/** A value that typst supports. */
export type TypstValue = string | number | boolean | null | readonly TypstValue[] | TypstDictionary;

interface TypstDictionary {
  readonly [key: string]: TypstValue;
}

/**
 * Writes a value as typst source.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(toTypst({ title: 'A "b"', pages: [1] }), '("title": "A \\"b\\"", "pages": (1,))');
 * ```
 */
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

/** Embeds typst in a paragraph of Markdown. */
export function inline(typst: string): string {
  return `\`${typst}\`{=typst}`;
}

/** Embeds typst between paragraphs of Markdown. */
export function block(typst: string): string {
  return `\n\n\`\`\`\`{=typst}\n${typst}\n\`\`\`\`\n\n`;
}

/** Embeds a call of a typst function whose last arguments are Markdown. */
export function call(name: string, options: Record<string, TypstValue>, bodies: string[], label?: string) {
  const given = Object.entries(options).map(([key, value]) => `${key}: ${toTypst(value)}`).join(", ");
  const end = label === undefined ? "]" : `] <${label}>`;
  return block(`#${name}(${given})[`) + bodies.join(block("][")) + block(end);
}

/** Escapes text for Markdown, so that it is printed literally. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>$~^]/g, "\\$&");
}

/** Markdown as in Jupyter; `smart` brings typographic quotes and dashes. */
const FORMAT = "commonmark+pipe_tables+tex_math_dollars+raw_attribute+strikeout+smart";

const PANDOC =
  "import os, sys, pypandoc; pandoc = pypandoc.get_pandoc_path(); os.execv(pandoc, [pandoc, *sys.argv[1:]])";

/**
 * Converts Markdown with embedded typst to typst.
 *
 * @param python From `ensurePythonPackages("report")`, which brings pandoc.
 * @throws {InputError} If pandoc does not know a formula's command.
 */
export async function convertMarkdown(markdown: string, python: string): Promise<string> {
  const args = ["-c", PANDOC, "--from", FORMAT, "--to", "typst", "--wrap", "preserve"];
  const { stdout, stderr } = await runPython(python, args, markdown);
  const [, formula] = /Could not convert TeX math (.*?), rendering as TeX/s.exec(stderr) ?? [];
  if (formula !== undefined) {
    throw new InputError({
      what: `print the formula ${formula}`,
      why: "pandoc does not know a command in it",
      next: [{ advice: "rewrite it" }],
    });
  }
  return stdout
    // cells without an alignment would inherit the figure's, which is centred
    .replace(
      /^ {4}align: \((?:(?:auto|left|right|center),)+\)/gm,
      (sides) => sides.replaceAll("auto", "left"),
    )
    // pandoc drops the width of a thick space, does not stretch arrows, and scales large brackets as pictures
    .replaceAll("#h(0em)", "thick")
    .replaceAll("arrow.r^(", "stretch(arrow.r)^(")
    .replace(/#scale\(x: (\d+%), y: \1\)\[(\\?.)\]/g, "lr(size: #$1, $2)");
}

const TYPESET = `import sys, typst
main, output, *fonts = sys.argv[1:]
try:
    typst.compile(main, output=output, font_paths=fonts, ignore_system_fonts=True)
except typst.TypstError as error:
    sys.exit("\\n".join(line for line in [error.message, *error.hints] if line))`;

/**
 * Typesets `main.typ`, with the project's own fonts, so that pages are the same on every machine.
 *
 * @param files What `main.typ` reads, and itself, by name.
 * @returns The PDF.
 */
export async function typeset(
  files: ReadonlyMap<string, Uint8Array>,
  python: string,
): Promise<Uint8Array<ArrayBuffer>> {
  using folder = makeTemporaryFolder();
  for (const [name, bytes] of files) await Deno.writeFile(join(folder.path, name), bytes);
  const output = join(folder.path, "report.pdf");
  await runPython(python, [
    "-c",
    TYPESET,
    join(folder.path, "main.typ"),
    output,
    ...figureFonts().map((path) => dirname(path)),
  ]);
  return await Deno.readFile(output);
}

/**
 * Both programs read this project's notebooks, not a user's text: an error is a bug, so it keeps its
 * stack.
 */
async function runPython(python: string, args: string[], input = "") {
  const child = await startProcess(python, args, { input: true });
  child.write(input);
  child.closeInput();
  const { code, stdout, stderr } = await child.ended;
  if (code !== 0) throw new Error(`Cannot typeset the report: ${stderr.trim()}`);
  return { stdout, stderr };
}
