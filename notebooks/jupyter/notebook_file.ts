/**
 * Notebook files for git: the same bytes for the same content, independent of the machine that executed them.
 */
import { basename, join } from "@std/path";
import { InputError } from "../../lib/support/errors.ts";
import { readText } from "../../lib/support/files.ts";
import { isRecord, parseJson } from "../../lib/support/schema.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { type CellOutput, NOTEBOOK, type NotebookCell, type NotebookFile } from "./notebook_schema.ts";

export type { CellOutput, NotebookCell, NotebookFile } from "./notebook_schema.ts";

/** Every notebook's metadata but the language's version: JupyterLab's own, so opening changes nothing. */
const METADATA = {
  kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
  language_info: {
    codemirror_mode: "typescript",
    file_extension: ".ts",
    mimetype: "text/x.typescript",
    name: "typescript",
    nbconvert_exporter: "script",
    pygments_lexer: "typescript",
  },
};

/**
 * Finds notebooks by the beginning of their names, in order: `02`, `2` or `02_train`.
 *
 * @param wanted Empty means all.
 * @throws {InputError} If there is none of a name.
 */
export function listNotebooks(
  wanted: readonly string[] = [],
  folder: string = join(projectFolder(), "notebooks"),
): string[] {
  const all = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    /^\d\d_.*\.ipynb$/.test(name)
  )
    .sort();
  if (wanted.length === 0) return all.map((name) => join(folder, name));
  const chosen = wanted.map((text) => {
    const start = basename(text).replace(/^(\d)(?=_|$)/, "0$1");
    const found = all.find((name) => name.startsWith(start));
    if (found !== undefined) return found;
    throw new InputError(`Cannot find a notebook ${text}: there are ${all.join(", ")}.`);
  });
  return all.filter((name) => chosen.includes(name)).map((name) => join(folder, name));
}

/**
 * Reads a notebook. Cells without an id, as before format 4.5, get one.
 *
 * @throws {InputError} If it is missing, or no notebook of format 4.
 */
export function readNotebook(path: string): NotebookFile {
  return parseNotebook(readText(path), path);
}

/** Parses a notebook's text. @throws {InputError} As {@linkcode readNotebook}. */
export function parseNotebook(text: string, path: string): NotebookFile {
  if (/^<{7} /m.test(text)) {
    throw new InputError({
      what: `read ${path}`,
      why: "it holds an unresolved merge conflict",
      next: [{ advice: "take one side: git checkout --ours or --theirs" }],
    });
  }
  parseJson(NOTEBOOK, text, path);
  const notebook = JSON.parse(text) as NotebookFile; // a schema's result has its fields in another order
  const cells = notebook.cells.map((cell, index) => ({ ...cell, id: cell.id ?? `cell-${index + 1}` }));
  return { ...notebook, cells };
}

/** A notebook as text: Jupyter's own indentation, keys in order, a line of source a line of the file. */
export function formatNotebook({ cells, metadata, nbformat_minor }: NotebookFile): string {
  const language = isRecord(metadata.language_info) ? metadata.language_info : {};
  const version = language.version ?? Deno.version.typescript;
  const tidy = {
    cells: cells.map(tidyCell),
    metadata: { ...METADATA, language_info: { ...METADATA.language_info, version } },
    nbformat: 4,
    nbformat_minor: Math.max(5, nbformat_minor),
  };
  return JSON.stringify(tidy, null, 1) + "\n";
}

/** Returns a cell's tags. */
export function tagsOf({ metadata }: NotebookCell): string[] {
  return metadata.tags ?? [];
}

/** The source of a cell as one text. */
export function sourceOf({ source }: Pick<NotebookCell, "source">): string {
  return joinText(source);
}

/** A notebook's code cells, with their numbers as one counts cells in JupyterLab, prose included, from 1. */
export function codeCells({ cells }: NotebookFile): { cell: NotebookCell; number: number }[] {
  return cells.map((cell, index) => ({ cell, number: index + 1 })).filter(({ cell }) =>
    cell.cell_type === "code"
  );
}

/** A machine-specific text and its replacement. */
export type Replacement = readonly [found: string, instead: string];

/**
 * Removes paths of this machine and terminal colours from a notebook's outputs.
 *
 * @param path The notebook's, for a message.
 * @param replacements Folders of this machine, each replaced wherever it occurs.
 * @throws {InputError} If a local path is left.
 */
export function cleanOutputs(
  notebook: NotebookFile,
  path: string,
  replacements: readonly Replacement[],
): NotebookFile {
  const longestFirst = replacements.toSorted(([one], [other]) => other.length - one.length);
  const clean = (text: string) =>
    longestFirst.reduce((cleaned, [found, instead]) => cleaned.replaceAll(found, instead), text)
      // deno-lint-ignore no-control-regex
      .replace(/\u001b\[[0-9;]*m/g, "");
  const cells = notebook.cells.map((cell, index) => {
    if (cell.outputs === undefined) return cell;
    const outputs = joinStreams(cell.outputs).map((output) => cleanOutput(output, clean));
    const left = outputs.flatMap(textsOf).flatMap((text) => text.match(MACHINE_PATH) ?? []);
    if (left.length > 0) {
      throw new InputError(
        `Cannot keep the outputs of ${basename(path)}: cell ${
          index + 1
        } (${cell.id}) shows a path of this machine, ${left[0]}; ` +
          "show a name instead.",
      );
    }
    return { ...cell, outputs };
  });
  return { ...notebook, cells };
}

const MACHINE_PATH =
  /(?<![\w.\/-])(?:file:\/\/)?(?:\/(?:home|Users|root|tmp|var|mnt|work|workspace)\/|[A-Z]:\\)[^\s"'<>)]*/;

/** Joins the pieces of a stream, whose boundaries depend on timing. */
function joinStreams(outputs: readonly CellOutput[]): CellOutput[] {
  const joined: CellOutput[] = [];
  for (const output of outputs) {
    const before = joined.at(-1);
    if (output.output_type === "stream" && before?.output_type === "stream" && before.name === output.name) {
      joined[joined.length - 1] = {
        ...before,
        text: joinText(before.text ?? "") + joinText(output.text ?? ""),
      };
    } else joined.push(output);
  }
  return joined;
}

function cleanOutput(output: CellOutput, clean: (text: string) => string): CellOutput {
  const data = output.data &&
    Object.fromEntries(
      Object.entries(output.data).map((
        [type, value],
      ) => [type, isText(type) ? clean(joinText(value)) : value]),
    );
  return {
    ...output,
    ...output.text === undefined ? {} : { text: clean(joinText(output.text)) },
    ...output.evalue === undefined ? {} : { evalue: clean(output.evalue) },
    ...output.traceback === undefined ? {} : { traceback: output.traceback.map(clean) },
    ...data && { data },
  };
}

function textsOf({ text, data = {}, evalue = "", traceback = [] }: CellOutput): string[] {
  const shown = Object.entries(data).filter(([type]) => isText(type)).map(([, value]) => joinText(value));
  return [joinText(text ?? ""), evalue, ...traceback, ...shown];
}

function isText(type: string): boolean {
  return type.startsWith("text/") || type === "image/svg+xml";
}

function tidyCell(
  { cell_type, id, metadata, source, execution_count = null, outputs = [], attachments }: NotebookCell,
) {
  const { tags, report } = metadata; // those of editors are dropped
  const kept = { ...report === undefined ? {} : { report }, ...tags === undefined ? {} : { tags } };
  const common = {
    ...attachments === undefined ? {} : { attachments },
    ...{ cell_type, id, metadata: kept, source: splitText(joinText(source)) },
  };
  if (cell_type !== "code") return common;
  return {
    cell_type,
    execution_count,
    id,
    metadata: kept,
    outputs: outputs.map(tidyOutput),
    source: common.source,
  };
}

function tidyOutput({ text, data, ...output }: CellOutput) {
  const tidied = data &&
    Object.fromEntries(
      Object.entries(data).sort(([one], [other]) => one < other ? -1 : 1)
        .map(([type, value]) => [type, isText(type) ? splitText(joinText(value)) : value]),
    );
  const all = {
    ...output,
    ...data && { data: tidied },
    ...text === undefined ? {} : { text: splitText(joinText(text)) },
  };
  return Object.fromEntries(Object.entries(all).sort(([one], [other]) => one < other ? -1 : 1));
}

/** Joins text, which Jupyter stores as a string or as lines. */
function joinText(text: unknown): string {
  return Array.isArray(text) ? text.join("") : String(text);
}

function splitText(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
