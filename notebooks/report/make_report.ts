import { dirname, fromFileUrl, join } from "@std/path";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { InputError } from "../../lib/support/errors.ts";
import { projectFolder } from "../../lib/support/project.ts";
import { writeAbstract } from "./abstract.ts";
import { writeAppendix } from "./appendix.ts";
import { writeBackground } from "./background.ts";
import { block, toTypst } from "./markup.ts";
import { writeForwardPass, writeMarkerPage } from "./marker_page.ts";
import { isSynthetic, listRemarks } from "./remarks.ts";
import { makeSection, notebookNumber, type ReportNotebook } from "./section.ts";
import { convertMarkdown, setPages } from "./typeset.ts";

/** The papers a report is set for. */
export const PAPERS = ["a4", "letter"] as const;

/** Options of {@linkcode makeReport}. */
export interface ReportOptions {
  /** Whose report it is: `u1234567`. */
  uid: string;
  /** Its size. @default {"a4"} */
  paper?: typeof PAPERS[number];
  /** With their outputs, in their order. */
  notebooks: readonly ReportNotebook[];
  /** Of the comparison. */
  results: readonly ExperimentResult[];
  /** The Python of `ensurePythonPackages("report")`. */
  python: string;
  /** The day on the first page. @default {reportDate(results)} */
  date?: Date | null;
}

/** A report. */
export interface Report {
  /** The same bytes for the same input. */
  pdf: Uint8Array<ArrayBuffer>;
  /** How many. */
  pages: number;
  /** What its first page warns of. */
  remarks: string[];
  /** Whether every page says that it is of synthetic data. */
  synthetic: boolean;
}

/**
 * Makes the report of the lab: the notebooks' prose, figures and tables as sections, before them an abstract whose numbers come from the
 * results and a page for the marker, behind them the references and what the numbers were made with.
 *
 * @throws {InputError} If a notebook holds an error, or a path of this machine.
 */
export async function makeReport(options: ReportOptions): Promise<Report> {
  const { uid, paper = "a4", notebooks, results, python, date = reportDate(results) } = options;
  const numbers = notebooks.map(({ path }) => notebookNumber(path));
  const sections = await Promise.all(notebooks.map((notebook) => makeSection(notebook, numbers)));
  const remarks = await listRemarks(notebooks, results);
  const synthetic = isSynthetic(notebooks, results);
  const markdown = [
    writeAbstract(results),
    block("#contents()"),
    writeMarkerPage(sections),
    writeBackground(results, numbers),
    writeForwardPass(),
    ...sections.map((section) => section.markdown),
    block('#bibliography("references.yml", title: "References", style: "ieee")'),
    writeAppendix(results),
  ].join("\n\n");
  const look = {
    title: "Dynamic convolutional filters for CIFAR-10",
    subtitle: "Lab 4 report",
    author: uid,
    date: date === null ? null : [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()],
    paper,
    synthetic,
    remarks,
  };
  const main = [
    '#import "report.typ": *',
    `#show: report.with(..${toTypst(look)})`,
    await convertMarkdown(markdown, python),
  ].join("\n\n");
  const files = new Map(sections.flatMap((section) => [...section.files]));
  refuseMachinePaths([
    main,
    ...[...files].filter(([name]) => name.endsWith(".svg")).map(([, bytes]) => decode(bytes)),
  ]);
  const pdf = await setInFolder(main, files, python);
  return { pdf, pages: countPages(pdf), remarks, synthetic };
}

/**
 * The day a report is of: `SOURCE_DATE_EPOCH`, or the latest training that its numbers come from; null where there is neither. Not today,
 * which would make another file of the same report every day.
 *
 * @throws {InputError} If `SOURCE_DATE_EPOCH` is no number of seconds.
 */
export function reportDate(results: readonly ExperimentResult[]): Date | null {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch !== undefined && epoch !== "") {
    if (/^\d{1,11}$/.test(epoch)) return new Date(1000 * Number(epoch));
    throw new InputError(`Cannot use SOURCE_DATE_EPOCH=${epoch}: it must be seconds since 1970; unset it.`);
  }
  const days = results.flatMap(({ seeds }) =>
    seeds.flatMap(({ sittings }) => sittings.map(({ date }) => date))
  ).sort();
  return days.length === 0 ? null : new Date(days.at(-1)!);
}

/** Notebooks are cleaned as they are executed; one that was executed by hand is not. */
function refuseMachinePaths(texts: readonly string[]): void {
  const home = Deno.env.get("HOME") ?? "/";
  const folders = [projectFolder().replace(/\/$/, ""), ...home.length > 1 ? [home] : []];
  for (const folder of folders) {
    if (!texts.some((text) => new RegExp(`${RegExp.escape(folder)}(?![\\w-])`).test(text))) continue;
    throw new InputError(
      `Cannot make a report that names a folder of this machine, ${folder}: run deno task notebooks, which cleans the notebooks' outputs.`,
    );
  }
}

async function setInFolder(
  main: string,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  python: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "report-" });
  const here = dirname(fromFileUrl(import.meta.url));
  try {
    for (const name of ["report.typ", "references.yml"]) {
      await Deno.copyFile(join(here, name), join(folder, name));
    }
    for (const [name, bytes] of files) await Deno.writeFile(join(folder, name), bytes);
    await Deno.writeTextFile(join(folder, "main.typ"), main);
    return await setPages(folder, python);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The page tree's root counts all of them. */
function countPages(pdf: Uint8Array): number {
  const counts = new TextDecoder("latin1").decode(pdf).matchAll(
    /\/Type \/Pages\s[^>]*?\/Count (\d+)|\/Count (\d+)[^>]*?\/Type \/Pages/g,
  );
  return Math.max(0, ...[...counts].map(([, one, other]) => Number(one ?? other)));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
