import { dirname, fromFileUrl, join } from "@std/path";
import { figureFonts } from "../figures/svg_to_png.ts";

const SCRIPT = fromFileUrl(new URL("set_pages.py", import.meta.url));

/** Markdown as Jupyter has it; typst's curly quotes and dashes come from `smart`. */
const FORMAT = "commonmark+pipe_tables+tex_math_dollars+raw_attribute+strikeout+smart";

/**
 * Turns Markdown, with typst in it, into typst.
 *
 * @param python Of `ensurePythonPackages("report")`: it has pandoc.
 */
export async function convertMarkdown(markdown: string, python: string): Promise<string> {
  const program =
    "import os, sys, pypandoc; pandoc = pypandoc.get_pandoc_path(); os.execv(pandoc, [pandoc, *sys.argv[1:]])";
  const args = ["-c", program, "--from", FORMAT, "--to", "typst", "--wrap", "preserve"];
  const typst = await runPython(python, args, markdown);
  // a table stands in the middle of the page: without a side of their own its cells would be set in the middle too
  return typst.replace(
    /^ {4}align: \((?:(?:auto|left|right|center),)+\)/gm,
    (sides) => sides.replaceAll("auto", "left"),
  );
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

async function runPython(python: string, args: string[], input = ""): Promise<string> {
  const child = new Deno.Command(python, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), write(child.stdin, input)]);
  const decoder = new TextDecoder();
  // neither reads what a user writes but notebooks of this project: what they refuse is this program's fault
  if (!success) throw new Error(`The report's pages could not be set: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

async function write(stream: WritableStream<Uint8Array<ArrayBuffer>>, text: string): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
