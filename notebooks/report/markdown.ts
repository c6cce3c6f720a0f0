import { basename, dirname, fromFileUrl, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { readFileBounded } from "../../lib/support/files.ts";
import type { CellPlace } from "./parts.ts";
import { RAW_FORMAT, runPython } from "./typst.ts";

/** A piece of the report: Markdown with embedded typst, converted apart from the others. */
export interface Piece {
  markdown: string;
  /** The cell that it is from, if it is from one. */
  place?: CellPlace;
}

/** A piece in typst. */
export interface ConvertedPiece {
  typst: string;
  place?: CellPlace;
  /** Pictures that it shows, by name. */
  files: Map<string, Uint8Array>;
  /** Set if it has HTML, which is left out. */
  hasHtml: boolean;
}

/** Markdown as in Jupyter; `smart` brings typographic quotes and dashes. */
const FORMAT = "commonmark+pipe_tables+tex_math_dollars+raw_attribute+strikeout+smart";

const PANDOC =
  "import os, sys, pypandoc; pandoc = pypandoc.get_pandoc_path(); os.execv(pandoc, [pandoc, 'lua', *sys.argv[1:]])";

/** What `convert.lua` prints of a piece. */
interface Answer {
  typst: string;
  html: string[];
  pictures: string[];
  formulas: string[];
}

/**
 * Converts pieces of Markdown with embedded typst to typst. Typst that a notebook embeds is left out.
 *
 * @param python From `ensurePythonPackages("report")`, which brings pandoc.
 * @throws {InputError} If pandoc does not run or does not know a formula's command, or a picture is missing.
 */
export async function convertPieces(pieces: readonly Piece[], python: string): Promise<ConvertedPiece[]> {
  const script = fromFileUrl(new URL("convert.lua", import.meta.url));
  const input = {
    format: FORMAT,
    raw: RAW_FORMAT,
    pieces: pieces.map(({ markdown }) => markdown.toWellFormed()),
  };
  const { stdout } = await runPython("pandoc", python, ["-c", PANDOC, script], JSON.stringify(input));
  const answers = JSON.parse(stdout) as Answer[];
  return answers.map(({ typst, html, pictures, formulas }, index) => {
    const { place } = pieces[index];
    for (const formula of formulas) {
      throw new InputError({
        what: `print the formula ${formula}${place === undefined ? "" : ` of ${showPlace(place)}`}`,
        why: "pandoc does not know a command in it",
        next: [{ advice: "rewrite it" }],
      });
    }
    const files = new Map(pictures.map((source, at) => {
      const name = `picture-${index + 1}-${at + 1}`;
      return [name, readPicture(source, place)] as const;
    }));
    return { typst: repair(typst), place, files, hasHtml: html.length > 0 };
  });
}

/** Names a cell: "cell 3 of 01_build.ipynb". */
export function showPlace({ path, number }: CellPlace): string {
  return `cell ${number} of ${basename(path)}`;
}

function repair(typst: string): string {
  return typst
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

const MAXIMUM_PICTURE_BYTES = 50_000_000;

/** Reads a picture of a Markdown cell: an attachment, or a file beside the notebook. */
function readPicture(source: string, place: CellPlace | undefined): Uint8Array {
  const what = `print the picture ${source}${place === undefined ? "" : ` of ${showPlace(place)}`}`;
  const refuse = (why: string, advice: string) => new InputError({ what, why, next: [{ advice }] });
  const attached = /^attachment:(.*)$/s.exec(source)?.[1];
  if (attached !== undefined) {
    const data = Object.values(place?.attachments?.[decodeUri(attached)] ?? {})[0];
    try {
      return Uint8Array.fromBase64(data!);
    } catch {
      throw refuse("the cell has no such attachment", "paste it again");
    }
  }
  const inline = /^data:image\/[\w+.-]+;base64,(.*)$/s.exec(source)?.[1];
  if (inline !== undefined) return Uint8Array.fromBase64(decodeUri(inline));
  if (/^[a-z]+:/i.test(source)) throw refuse("it is not on this machine", "save it beside the notebook");
  try {
    return readFileBounded(join(dirname(place?.path ?? "."), decodeUri(source)), MAXIMUM_PICTURE_BYTES);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw refuse(error.problem!.why, "correct its path, which begins in the notebook's folder");
  }
}

function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a name with a per cent sign
  }
}
