import { unescape } from "node:querystring";
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
  const answers = JSON.parse(stdout) as { typst: string; [found: string]: string | string[] }[];
  return answers.map(({ typst, ...found }, index) => {
    const { place } = pieces[index];
    const { html, pictures, formulas: [formula] } = found as Record<string, string[]>;
    if (formula !== undefined) {
      const what = `print the formula ${formula}${place === undefined ? "" : ` of ${showPlace(place)}`}`;
      const next = [{ advice: "rewrite it" }];
      throw new InputError({ what, why: "pandoc does not know a command in it", next });
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
  const refuse = (why: string) =>
    new InputError({
      what,
      why,
      next: [{ advice: "paste it into the cell, or save it beside the notebook" }],
    });
  const path = unescape(source); // leaves a lone per cent sign
  if (/^[a-z]+:/i.test(path)) {
    const [data] = Object.values(place?.attachments?.[path.replace(/^attachment:/, "")] ?? {});
    if (data === undefined) throw refuse("the notebook does not hold it");
    return Uint8Array.fromBase64(data);
  }
  try {
    return readFileBounded(join(dirname(place?.path ?? "."), path), MAXIMUM_PICTURE_BYTES);
  } catch (error) {
    throw error instanceof InputError ? refuse(error.problem!.why) : error;
  }
}
