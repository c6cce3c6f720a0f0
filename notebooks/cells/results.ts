import { readProbes } from "../../lib/experiments/probe.ts";
import { publishedResultsFolder, readResults } from "../../lib/experiments/results.ts";
import type { ExperimentResult } from "../../lib/experiments/results.ts";
import { describeStaleness } from "../../lib/experiments/staleness.ts";
import { EXPERIMENTS } from "../../lib/experiments/experiments.ts";
import { displayMarkdown } from "./text.ts";

/** The command that makes what is missing. */
const COMMAND = "deno task compare --publish";

/**
 * Reads the committed results of some experiments (or those in the folder `NOTEBOOK_RESULTS`), and says what is missing or stale and
 * which command makes it.
 *
 * @param names Experiments by name, in the order wanted; none means all.
 * @returns Those that are there.
 *
 * @example
 * ```ts
 * import { openResults } from "./results.ts";
 * const results = await openResults(["dynamic", "static-per-class"]);
 * console.log(results.map(({ experiment, seeds }) => [experiment, seeds.length]));
 * ```
 */
export async function openResults(names: readonly string[] = []): Promise<ExperimentResult[]> {
  const wanted = names.length > 0 ? names : EXPERIMENTS.map(({ name }) => name);
  const folder = Deno.env.get("NOTEBOOK_RESULTS") ?? publishedResultsFolder();
  const all = readResults(folder);
  const results = wanted.flatMap((name) => all.filter(({ experiment }) => experiment === name));
  const missing = wanted.filter((name) => !all.some(({ experiment }) => experiment === name));
  const stale = (await describeStaleness(results, { probes: readProbes(folder) })).filter((sentence) =>
    !sentence.startsWith("There are no results of")
  );
  const sentences = [
    ...(missing.length === 0 ? [] : [`There are no results of ${missing.join(", ")} yet.`]),
    ...stale,
  ];
  if (sentences.length > 0) {
    await displayMarkdown(`> **Note.** ${sentences.join(" ")} \`${COMMAND}\` makes them anew.`, {
      kind: "note",
    });
  }
  return results;
}
