import { basename, dirname, fromFileUrl, join } from "@std/path";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { InputError } from "../../lib/support/errors.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { writeAppendix } from "./appendix.ts";
import { writeAbstract, writeBackground } from "./front_matter.ts";
import { writeCodeExcerpts } from "./code_excerpts.ts";
import { writeMarkerPage } from "./marker_page.ts";
import { convertPieces } from "./markdown.ts";
import { makeSection, notebookNumber, type ReportNotebook } from "./section.ts";
import { shorten } from "./shorten.ts";
import { describeSources, findSources } from "./sources.ts";
import { block, escapeParagraph, toTypst } from "./typst.ts";
import { typesetPieces } from "./typeset.ts";
import { isSynthetic, listLeftOut, listWarnings } from "./warnings.ts";

/** Paper sizes. */
export const PAPERS = ["a4", "letter"] as const;

export interface ReportOptions {
  /** Student number: `u1234567`. */
  uid: string;
  /** @default {"a4"} */
  paper?: typeof PAPERS[number];
  /** Print the answers, their figures and the code of the tasks, but no contents and no appendix. */
  short?: boolean;
  /** Notebooks with their outputs, in order. */
  notebooks: readonly ReportNotebook[];
  /** Results of the comparison. */
  results: readonly ExperimentResult[];
  /** Python from `ensurePythonPackages("report")`. */
  python: string;
  /** Date on the first page. @default {reportDate(results)} */
  date?: Date | null;
}

/**
 * Typesets the report of the lab: the notebooks' prose, figures and tables as sections, preceded by an
 * abstract with the results' numbers and a page for the marker, followed by references and provenance.
 *
 * @returns The pages, the same bytes for the same input; their number, the warnings on the first, and whether
 * every page says that it shows synthetic data.
 * @throws {InputError} If a notebook holds an error, a path of this machine or something that cannot be set.
 */
export async function makeReport(options: ReportOptions) {
  const { uid, paper = "a4", short = false, notebooks, results, python, date = reportDate(results) } =
    options;
  refuseSameNumber(notebooks);
  const sections = notebooks.map(({ path, file }) =>
    makeSection({ path, file: short ? shorten(file) : file })
  );
  const synthetic = isSynthetic(notebooks, results);
  const pieces = await convertPieces(
    [
      writeAbstract(results),
      `**Whose runs.** ${escapeParagraph(describeSources(findSources(notebooks, results)))}`,
      ...short ? [OPEN_LINKS] : [block("#contents()"), OPEN_LINKS, block("#pagebreak(weak: true)")],
      ...[writeMarkerPage(sections), writeBackground(results)],
      ...short ? [] : [writeCodeExcerpts()],
      ...sections.flatMap((section) => section.pieces),
      ...short ? [writeCodeExcerpts()] : [], // last, where it fills pages
      ...[block("]"), BIBLIOGRAPHY, short ? "" : writeAppendix(results)],
    ].map((piece) => typeof piece === "string" ? { markdown: piece } : piece),
    python,
  );
  const warnings = [
    ...await listWarnings(notebooks, results),
    ...listLeftOut([
      ...sections.flatMap(({ leftOut }) => leftOut),
      ...pieces.flatMap(({ hasHtml, place }) =>
        hasHtml && place ? [{ place, what: "has HTML or raw typst, which is left out" }] : []
      ),
    ]),
  ];
  const files = new Map([...sections, ...pieces].flatMap(({ files }) => [...files]));
  const folder = dirname(fromFileUrl(import.meta.url));
  for (const name of ["report.typ", "references.yml"]) {
    files.set(name, await Deno.readFile(join(folder, name)));
  }
  const settings = {
    title: "Dynamic convolutional filters for CIFAR-10",
    subtitle: "Lab 4 report",
    author: uid,
    date: date === null ? null : [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()],
    paper,
    synthetic,
  };
  const compose = () => {
    const show = `#show: report.with(..${toTypst({ ...settings, warnings })})`;
    return ['#import "report.typ": *\n\n', `${show}\n\n`, ...pieces.map(({ typst }) => typst)];
  };
  refuseMachinePaths([
    ...compose(),
    ...[...files].filter(([name]) => name.endsWith(".svg")).map(([, bytes]) =>
      new TextDecoder().decode(bytes)
    ),
  ]);
  const set = () => typesetPieces(compose(), pieces, files, python);
  let { pdf, problems } = await set();
  if (problems.length > 0) {
    warnings.push(...problems);
    ({ pdf } = await set());
  }
  return { pdf, pages: countPages(pdf), warnings, synthetic };
}

const OPEN_LINKS = block(
  `#[\n#show link: project-link\n#show regex("\\\\b[Nn]otebook [1-9]\\\\b"): notebook-name`,
);

const BIBLIOGRAPHY = block('#bibliography("references.yml", title: "References", style: "ieee")');

/**
 * Returns the report's date: `SOURCE_DATE_EPOCH`, or the latest training that its numbers come from; null
 * without either. Not today, which would give another file every day.
 *
 * @throws {InputError} If `SOURCE_DATE_EPOCH` is not a number of seconds.
 */
export function reportDate(results: readonly ExperimentResult[]): Date | null {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch) {
    if (/^\d{1,11}$/.test(epoch)) return new Date(1000 * Number(epoch));
    throw new InputError({ what: `use SOURCE_DATE_EPOCH=${epoch}`, why: "it must be seconds since 1970" });
  }
  const days = results.flatMap(({ seeds }) =>
    seeds.flatMap(({ sessions }) => sessions.map(({ date }) => date))
  ).sort();
  return days.length === 0 ? null : new Date(days.at(-1)!);
}

/** Refuses copies, such as JupyterLab's `01_build-Copy1.ipynb`: sections are named by their numbers. */
function refuseSameNumber(notebooks: readonly ReportNotebook[]): void {
  for (const same of Map.groupBy(notebooks, ({ path }) => notebookNumber(path)).values()) {
    if (same.length === 1) continue;
    const [one, other] = same.map(({ path }) => basename(path));
    throw new InputError({
      what: "make the report",
      why: `${one} and ${other} have the same number`,
      next: [{ advice: "move one of them to another folder" }],
    });
  }
}

/** Refuses outputs of a notebook that was executed by hand; `deno task notebooks` cleans them. */
function refuseMachinePaths(texts: readonly string[]): void {
  const home = Deno.env.get("HOME") ?? "/";
  for (const folder of [projectFolder(), ...home.length > 1 ? [home] : []]) {
    if (!texts.some((text) => new RegExp(`${RegExp.escape(folder)}(?![\\w-])`).test(text))) continue;
    throw new InputError({
      what: "make the report",
      why: `the notebooks name a folder of this machine, ${folder}`,
      next: [{ task: "notebooks" }],
    });
  }
}

/** Reads the number of pages from the root of the page tree. */
function countPages(pdf: Uint8Array): number {
  const counts = new TextDecoder("latin1").decode(pdf).matchAll(
    /\/Type \/Pages\s[^>]*?\/Count (\d+)|\/Count (\d+)[^>]*?\/Type \/Pages/g,
  );
  return Math.max(0, ...[...counts].map(([, one, other]) => Number(one ?? other)));
}
