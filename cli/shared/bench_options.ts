import { COLUMNS } from "../../bench/columns.ts";
import { FORMS } from "../../bench/forms.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import { boolean, integer, text } from "../../lib/support/schema.ts";
import type { Command } from "./options.ts";

const { data, weights, device } = TRAINING_OPTIONS;

/** The columns of other batch sizes together. */
export const SIZES = "sizes";
/** What `--columns` takes. */
export const COLUMN_NAMES = [...COLUMNS.map(({ id }) => id), SIZES];
/** What `deno task bench` takes. */
export const BENCH_COMMAND = {
  name: "deno task bench",
  summary:
    "Times this project beside PyTorch and plain TensorFlow.js: the same network, weights, batches and optimizer, in turn. First " +
    "it checks that all compute the same gradients. About ten minutes; leave the machine alone meanwhile.",
  options: {
    rows: {
      schema: text().nullable(),
      defaultText: "all but bf16",
      group: "Cases",
      help: FORMS.map(({ row }) => row).join(", "),
      value: "ROW,…|all",
    },
    columns: {
      schema: text().nullable(),
      defaultText: "all",
      group: "Cases",
      help: COLUMN_NAMES.join(", "),
      value: "COLUMN,…|all",
    },
    batchSizes: {
      schema: text(),
      default: "1,32,128,512,1024",
      group: "Cases",
      help: "images per step, of the column sizes",
      value: "N,…",
    },
    epochImages: {
      schema: integer({ from: 1, to: 50_000 }),
      default: 2560,
      group: "Cases",
      help: "images of the timed epoch; its time is scaled to all 50,000",
    },
    profile: {
      schema: boolean(),
      default: false,
      group: "Cases",
      help: "list the operations of a step with their times",
    },
    rounds: {
      schema: integer({ from: 1, to: 1000 }).nullable(),
      defaultText: "9",
      group: "Measurement",
      help: "interleaved rounds, after one for warming up",
    },
    quick: {
      schema: boolean(),
      default: false,
      group: "Measurement",
      help: "smoke test of some columns in less than a minute: not a measurement",
    },
    force: {
      schema: boolean(),
      default: false,
      group: "Measurement",
      help: "measure on a busy machine; the result says so",
    },
    python: {
      schema: text().nullable(),
      defaultText: "PyTorch is installed into .venv",
      group: "Measurement",
      help: "Python with torch and safetensors",
      value: "PATH",
    },
    threads: {
      schema: integer({ from: 1, to: 1024 }).nullable(),
      defaultText: "all cores",
      group: "Measurement",
      help: "threads of both sides",
    },
    data: { ...data, group: "Measurement" },
    weights: { ...weights, group: "Measurement" },
    device: { ...device, group: "Measurement" },
    json: { schema: text().nullable(), group: "Output", help: "write the result as JSON", value: "FILE" },
    figure: { schema: text().nullable(), group: "Output", help: "draw bars into an SVG file", value: "FILE" },
  },
  examples: [
    ["deno task bench --json laptop.json", "everything"],
    ["deno task bench --quick --rows ours,plain", "smoke test without PyTorch"],
    ["deno task bench --columns epoch --epoch-images 50000", "whole epochs"],
    ["deno task bench --rows ours --columns step --profile", "times of a step's operations"],
  ],
} satisfies Command;
