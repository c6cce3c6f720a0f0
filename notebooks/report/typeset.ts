import { dirname, fromFileUrl, join } from "@std/path";
import { figureFonts } from "../../lib/figures/fonts.ts";
import { InputError } from "../../lib/support/errors.ts";
import { makeTemporaryFolder } from "../../lib/tensorflow/temporary_folder.ts";
import { type ConvertedPiece, showPlace } from "./markdown.ts";
import type { CellPlace } from "./parts.ts";
import { runPython, toTypst } from "./typst.ts";

/** A PDF with what is wrong with it. */
interface Typeset {
  pdf: Uint8Array<ArrayBuffer>;
  /** Characters that no font has, with the line of `main.typ` where it is known; boxes stand for them. */
  missing: { text: string; line: number | null }[];
  /** Font families that typst does not find; others stand for them. */
  unknownFonts: string[];
}

/** Typst refuses what it was given. */
class TypstError extends Error {
  override name = "TypstError";
  /** Line of `main.typ`; null if it is not known. */
  line: number | null;
  /** Name of a picture that is damaged; empty if none is. */
  picture: string;
  constructor(message: string, line: number | null, picture: string) {
    super(message);
    [this.line, this.picture] = [line, picture];
  }
}

/**
 * Typesets `main.typ`, with the project's own fonts, so that pages are the same on every machine.
 *
 * @param files What `main.typ` reads, and itself, by name.
 * @throws {TypstError} If they have an error.
 * @throws {InputError} If typst does not run.
 */
async function typeset(files: ReadonlyMap<string, Uint8Array>, python: string): Promise<Typeset> {
  using folder = makeTemporaryFolder();
  for (const [name, bytes] of files) await Deno.writeFile(join(folder.path, name), bytes);
  const script = fromFileUrl(new URL("typeset.py", import.meta.url));
  const output = join(folder.path, "report.pdf");
  const fonts = figureFonts().map((path) => dirname(path));
  const { stdout } = await runPython("typst", python, [
    script,
    join(folder.path, "main.typ"),
    output,
    ...fonts,
  ]);
  const { problem, picture, check, fonts: unknownFonts } = JSON.parse(stdout) as Record<string, string> & {
    fonts: string[];
  };
  if (problem !== "") throw new TypstError(firstSentence(problem), lineOf(problem), picture);
  const missing = check.split(/^(?=error:)/m).flatMap((part) => {
    const text = /the text `"(.*?)"` could not be displayed/s.exec(part)?.[1];
    return text === undefined ? [] : [{ text: unescape(text), line: lineOf(part) }];
  });
  return { pdf: await Deno.readFile(output), missing, unknownFonts };
}

function firstSentence(diagnostic: string): string {
  return /^error: (.*)$/m.exec(diagnostic)?.[1].replace(/ \(searched at .*\)$/, "") ?? diagnostic;
}

/** The last line of `main.typ` that a diagnostic names: the call, where a function of the template fails. */
function lineOf(diagnostic: string): number | null {
  const line = [...diagnostic.matchAll(/main\.typ:(\d+):/g)].at(-1)?.[1];
  return line === undefined ? null : Number(line);
}

function unescape(text: string): string {
  return text.replace(/\\u\{([0-9a-f]+)\}/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)));
}

/**
 * Typesets the report.
 *
 * @param source Typst: two lines, then the pieces.
 * @returns The PDF, and a sentence about each piece with characters that no font has.
 * @throws {InputError} If typst cannot set a cell.
 */
export async function typesetPieces(
  source: readonly string[],
  pieces: readonly ConvertedPiece[],
  files: ReadonlyMap<string, Uint8Array>,
  python: string,
): Promise<{ pdf: Uint8Array<ArrayBuffer>; problems: string[] }> {
  const main = new TextEncoder().encode(source.join(""));
  const placeOf = (line: number | null): CellPlace | undefined => {
    let last = 0; // of each piece
    const index = source.findIndex((text) => line! <= (last += text.split("\n").length - 1));
    return line === null ? undefined : pieces[index - 2]?.place;
  };
  try {
    const { pdf, missing, unknownFonts } = await typeset(new Map([...files, ["main.typ", main]]), python);
    const places = missing.map(({ text, line }) => ({ text, place: placeOf(line) }));
    const byPlace = Map.groupBy(places, ({ place }) => place ? showPlace(place) : "a figure or a name");
    return {
      pdf,
      problems: [
        ...unknownFonts.map((font) => `The font ${font} is missing, and another is used.`),
        ...[...byPlace].map(([place, texts]) =>
          `No font of the report has these characters of ${place}, so that boxes are printed: ${
            nameCharacters(texts.map(({ text }) => text).join(""))
          }.`
        ),
      ],
    };
  } catch (error) {
    if (!(error instanceof TypstError)) throw error;
    const { message, line, picture } = error;
    const place = picture === ""
      ? placeOf(line)
      : pieces.find(({ typst }) => typst.includes(toTypst(picture)))?.place;
    if (place === undefined) throw error;
    throw new InputError({
      what: `print ${showPlace(place)}`,
      why: message,
      next: [{ advice: "change it, or leave it out by the tag report-skip" }],
    }, { cause: error });
  }
}

/** Names characters by their code points, the first few of them: `U+4F60, U+597D`. */
function nameCharacters(text: string): string {
  const all = [...new Set(text)].map((character) =>
    `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`
  );
  return all.slice(0, 8).join(", ") + (all.length > 8 ? ` and ${all.length - 8} more` : "");
}
