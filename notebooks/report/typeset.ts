import { dirname, fromFileUrl, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { figureFonts } from "../../lib/figures/svg_to_png.ts";

const SCRIPT = fromFileUrl(new URL("set_pages.py", import.meta.url));

/** Markdown as Jupyter has it; typst's curly quotes and dashes come from `smart`. */
const FORMAT = "commonmark+pipe_tables+tex_math_dollars+raw_attribute+strikeout+smart";

/**
 * Turns Markdown, with typst in it, into typst.
 *
 * @param python Of `ensurePythonPackages("report")`: it has pandoc.
 * @throws {InputError} If a formula cannot be converted.
 */
export async function convertMarkdown(markdown: string, python: string): Promise<string> {
  const program =
    "import os, sys, pypandoc; pandoc = pypandoc.get_pandoc_path(); os.execv(pandoc, [pandoc, *sys.argv[1:]])";
  const args = ["-c", program, "--from", FORMAT, "--to", "typst", "--wrap", "preserve"];
  const { stdout, stderr } = await runPython(python, args, markdown);
  const [, formula] = /Could not convert TeX math (.*?), rendering as TeX/s.exec(stderr) ?? [];
  if (formula !== undefined) {
    throw new InputError(
      `Cannot print the formula ${formula}: pandoc does not know a command in it; write it in another way.`,
    );
  }
  return mendTypst(stdout);
}

/** What pandoc's typst lacks. */
function mendTypst(typst: string): string {
  return typst
    // a table stands in the middle of the page: without a side of their own its cells would be set in the middle too
    .replace(
      /^ {4}align: \((?:(?:auto|left|right|center),)+\)/gm,
      (sides) => sides.replaceAll("auto", "left"),
    )
    // a thick space
    .replaceAll("#h(0em)", "thick")
    // words go above an arrow, and large brackets are no pictures
    .replaceAll("arrow.r^(", "stretch(arrow.r)^(")
    .replace(/#scale\(x: (\d+%), y: \1\)\[(\\?.)\]/g, "lr(size: #$1, $2)");
}

/**
 * Sets the pages of `folder/main.typ` with the project's own fonts, so that they are the same on every machine.
 *
 * @returns The PDF.
 */
export async function setPages(folder: string, python: string): Promise<Uint8Array<ArrayBuffer>> {
  const output = join(folder, "report.pdf");
  await runPython(python, [SCRIPT, folder, output, ...figureFonts().map(dirname)]);
  return await Deno.readFile(output);
}

async function runPython(
  python: string,
  args: string[],
  input = "",
): Promise<Record<"stdout" | "stderr", string>> {
  const child = new Deno.Command(python, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), write(child.stdin, input)]);
  const decoder = new TextDecoder();
  // neither reads what a user writes but notebooks of this project: what they refuse is this program's fault
  if (!success) throw new Error(`The report's pages could not be set: ${decoder.decode(stderr).trim()}`);
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function write(stream: WritableStream<Uint8Array<ArrayBuffer>>, text: string): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
