import { z } from "zod";
import { boolean, integer, number, share } from "../../lib/support/schema.ts";
import type { OutputFacts } from "../cells/display.ts";

/** Jupyter keeps text as one string or as lines. */
const TEXT = z.union([z.string(), z.array(z.string())], { error: "must be text or a list of lines" });

const PIXELS = number({ above: 0, to: 100_000 });
const COUNT = integer({ from: 0 });

/** Schema of {@linkcode OutputFacts} in a file. */
const FACTS: z.ZodType<OutputFacts> = z.discriminatedUnion("kind", [
  z.object({
    ...{ kind: z.literal("figure"), title: z.string(), caption: z.string(), alt: z.string() },
    ...{ width: PIXELS, height: PIXELS, top: number({ from: 0, to: 100_000 }) },
  }),
  z.object({ kind: z.literal("table"), rows: COUNT, columns: COUNT }),
  z.object({
    ...{ kind: z.literal("circumstances"), data: z.string(), sizes: z.tuple([COUNT, COUNT]) },
    ...{ weights: z.string(), runtime: z.string(), synthetic: boolean(), quick: boolean() },
  }),
  z.object({
    ...{ kind: z.literal("model"), name: z.string(), variant: z.string(), seed: COUNT, epoch: COUNT },
    ...{ epochs: COUNT, accuracy: share().nullable(), data: z.string() },
    chosenOn: z.enum(["test", "held-out"]),
  }),
  z.object({ kind: z.literal("note") }),
], { error: "is of no known kind" });

const OUTPUT = z.object({
  output_type: z.enum(["stream", "display_data", "execute_result", "error"]),
  name: z.string().optional(),
  text: TEXT.optional(),
  data: z.record(z.string(), z.unknown()).refine(
    (data) =>
      Object.entries(data).every(([type, value]) =>
        !/^(text|image)\//.test(type) || TEXT.safeParse(value).success
      ),
    "must hold text",
  ).optional(),
  metadata: z.object({ report: FACTS.optional() }).optional(),
  ename: z.string().optional(),
  evalue: z.string().optional(),
  traceback: z.array(z.string()).optional(),
});

const CELL = z.object({
  cell_type: z.enum(["markdown", "code", "raw"]),
  id: z.string().regex(/^[\w-]{1,64}$/, "must be letters, digits, _ and -").optional(),
  metadata: z.looseObject({
    tags: z.array(z.string()).optional(),
    report: z.strictObject({
      captions: z.array(z.union([z.string(), z.null(), z.literal(false)])).optional(),
    }).optional(),
  }),
  source: TEXT,
  execution_count: z.int().nullable().optional(),
  outputs: z.array(OUTPUT).optional(),
  /** Pictures pasted into Markdown: by name, then in base64 by MIME type. */
  attachments: z.record(z.string(), z.record(z.string(), z.base64("must be base64"))).optional(),
});

/** Schema of a notebook of Jupyter's format 4, with the report's metadata. */
export const NOTEBOOK = z.object({
  nbformat: z.literal(4, { error: "must be 4: JupyterLab converts older ones as it saves them" }),
  nbformat_minor: COUNT,
  metadata: z.record(z.string(), z.unknown()),
  cells: z.array(CELL),
});

/** Output below a cell. */
export type CellOutput = z.infer<typeof OUTPUT>;

/** A cell, prose or code, with a stable id. */
export type NotebookCell = Omit<z.infer<typeof CELL>, "id"> & { id: string };

/** A notebook; what the schema does not name is kept. */
export type NotebookFile = Omit<z.infer<typeof NOTEBOOK>, "cells"> & { cells: NotebookCell[] };
