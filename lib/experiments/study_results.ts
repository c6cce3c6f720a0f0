/** Published results of studies: `notebooks/results/<study>.json`, and `.md` to read. */
import { join } from "@std/path";
import { z } from "zod";
import { readTextOrNull } from "../support/files.ts";
import { escapeMarkdown } from "../support/format.ts";
import { parseJson, plainText } from "../support/schema.ts";
import { writeText } from "../support/write_files.ts";
import { showOption, type TrainConfig } from "../training/config.ts";
import { formatMachine } from "./provenance.ts";
import { checkDigest, digestOf, publishedResultsFolder } from "./results.ts";
import { DATA_IDENTITY, TRAINING_SESSION } from "./runs.ts";
import { type Study, STUDY_FORMAT, type StudyResult, type StudyUnit } from "./study.ts";

/** Writes a study's result, and as Markdown beside it. */
export function writeStudy<Row extends object>(
  study: Study<StudyUnit, Row>,
  result: StudyResult<Row>,
  folder = publishedResultsFolder(),
): void {
  const { rows, sessions, ...head } = result;
  const lines = (values: readonly object[]) =>
    `[\n${values.map((each) => JSON.stringify(each)).join(",\n")}\n]`;
  const facts = JSON.stringify({ ...head, digest: digestOf(result) }, null, 2).slice(0, -2);
  const json = `${facts},\n"sessions": ${lines(sessions)},\n"rows": ${lines(rows)}\n}\n`;
  writeText(join(folder, `${study.name}.json`), json);
  writeText(join(folder, `${study.name}.md`), formatStudy(study, result));
}

/**
 * Reads a study's published result; null if there is none.
 *
 * @throws {InputError} If it is damaged, or was changed after it was written.
 */
export function readStudy<Row extends object>(
  study: Study<StudyUnit, Row>,
  folder = publishedResultsFolder(),
): StudyResult<Row> | null {
  const path = join(folder, `${study.name}.json`);
  const text = readTextOrNull(path);
  if (text === null) return null;
  parseJson(
    z.strictObject({
      format: z.literal(STUDY_FORMAT),
      study: z.literal(study.name),
      data: DATA_IDENTITY,
      weights: plainText(),
      recipe: z.record(plainText(60), z.unknown()),
      digest: plainText(64),
      sessions: z.array(TRAINING_SESSION),
      rows: z.array(study.row),
    }),
    text,
    path,
  );
  return checkDigest<StudyResult<Row>>(text, path);
}

/** Formats a study as Markdown: question, tables, and data, recipe and machine. */
export function formatStudy<Row extends object>(
  study: Study<StudyUnit, Row>,
  { rows, data, weights, recipe, sessions }: StudyResult<Row>,
): string {
  const days = sessions.map(({ date }) => date.slice(0, 10)).sort();
  const machines = [
    ...new Set(
      sessions.map(({ machine, tensorflow, device }) =>
        `${formatMachine(machine)}, TensorFlow ${tensorflow} on the ${device.toUpperCase()}`
      ),
    ),
  ];
  const options = Object.entries(recipe).map(([name, value]) =>
    ` \`${showOption(name as keyof TrainConfig, value)}\``
  );
  return [
    study.about,
    "",
    study.format(rows),
    "",
    `- Data: ${
      escapeMarkdown(data.name)
    } (fingerprint ${data.fingerprint}). Initial weights of the backbones: ${escapeMarkdown(weights)}. ${
      options.length === 0
        ? "Options that are not named are the lab's"
        : `The lab's recipe but for${options.join()}`
    }.`,
    `- Measured ${[...new Set([days[0], days.at(-1)])].join(" to ")} on ${
      escapeMarkdown(machines.join("; "))
    }.`,
    "",
  ].join("\n");
}
