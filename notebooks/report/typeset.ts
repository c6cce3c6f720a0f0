import { dirname, fromFileUrl, join } from "@std/path";
import { figureFonts } from "../../lib/figures/fonts.ts";
import { InputError } from "../../lib/support/errors.ts";
import { makeTemporaryFolder } from "../../lib/support/temporary_folder.ts";
import { type ConvertedPiece, showPlace } from "./markdown.ts";
import type { CellPlace } from "./parts.ts";
import { runPython, toTypst } from "./typst.ts";

/**
 * Typesets the report with the project's own fonts, so that pages are the same on every machine.
 *
 * @param source Typst: two lines, then the pieces.
 * @param files What it reads, by name.
 * @returns The PDF, and a sentence about each font that is missing and each cell with characters of no font.
 * @throws {InputError} If typst does not run, or cannot set a cell.
 */
export async function typesetPieces(
  source: readonly string[],
  pieces: readonly ConvertedPiece[],
  files: ReadonlyMap<string, Uint8Array>,
  python: string,
): Promise<{ pdf: Uint8Array<ArrayBuffer>; problems: string[] }> {
  using folder = makeTemporaryFolder();
  const [main, output] = ["main.typ", "report.pdf"].map((name) => join(folder.path, name));
  for (const [name, bytes] of files) await Deno.writeFile(join(folder.path, name), bytes);
  await Deno.writeTextFile(main, source.join(""));
  const script = fromFileUrl(new URL("typeset.py", import.meta.url));
  const args = [script, main, output, ...figureFonts().map((path) => dirname(path))];
  const { stdout } = await runPython("typst", python, args);
  const { problem, picture, check, fonts } = JSON.parse(stdout) as Record<string, string> & {
    fonts: string[];
  };
  // the last line of main.typ that is named is the call, where a function of the template fails
  const placeOf = (diagnostic: string): CellPlace | undefined => {
    const line = Number([...diagnostic.matchAll(/main\.typ:(\d+):/g)].at(-1)?.[1]);
    let last = 0; // of each piece
    return pieces[source.findIndex((text) => line <= (last += text.split("\n").length - 1)) - 2]?.place;
  };
  if (problem !== "") {
    const place = pieces.find(({ typst }) => picture !== "" && typst.includes(toTypst(picture)))?.place ??
      placeOf(problem);
    if (place === undefined) throw new Error(`Cannot typeset the report: ${problem}`);
    throw new InputError({
      what: `print ${showPlace(place)}`,
      why: /^error: (.*)$/m.exec(problem)?.[1] ?? problem,
      next: [{ advice: "change it, or leave it out by the tag report-skip" }],
    });
  }
  const missing = [...check.matchAll(/the text `"(.*?)"` could not be displayed[^]*?(?=^error:|$(?![^]))/gm)];
  const byPlace = Map.groupBy(missing, ([diagnostic]) => {
    const place = placeOf(diagnostic);
    return place === undefined ? "a figure or a name" : showPlace(place);
  });
  return {
    pdf: await Deno.readFile(output),
    problems: [
      ...fonts.map((font) => `The font ${font} is missing, and another is used.`),
      ...[...byPlace].map(([place, some]) =>
        `No font of the report has these characters of ${place}, so that boxes are printed: ${
          nameCharacters(some.map(([, text]) => text).join(""))
        }.`
      ),
    ],
  };
}

/** Names characters, as typst quotes them, by their code points: `U+4F60, U+597D`. */
function nameCharacters(quoted: string): string {
  const text = quoted.replace(/\\u\{(.*?)\}/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)));
  const all = [...new Set(text)].map((character) =>
    `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`
  );
  return all.slice(0, 8).join(", ") + (all.length > 8 ? ` and ${all.length - 8} more` : "");
}
