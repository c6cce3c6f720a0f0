import { COLUMNS } from "../../bench/columns.ts";
import { FORMS } from "../../bench/forms.ts";
import { TRAINING_OPTIONS } from "../../lib/training/options.ts";
import type { DeviceChoice } from "../../lib/tensorflow/runtime/runtime.ts";
import type { Command } from "./options.ts";

/** The options of the bench. */
export interface BenchFlags {
  rows: string | null;
  columns: string | null;
  batchSizes: string;
  rounds: number | null;
  epochImages: number;
  quick: boolean;
  profile: boolean;
  python: string | null;
  data: string | null;
  weights: string | null;
  device: DeviceChoice;
  threads: number | null;
  force: boolean;
  json: string | null;
  figure: string | null;
}

const { data, weights, device } = TRAINING_OPTIONS;

/** The columns of other batch sizes together. */
export const SIZES = "sizes";
/** What `--columns` takes. */
export const COLUMN_NAMES = [...COLUMNS.map(({ id }) => id), SIZES];
/** What `deno task bench` takes. */
export const BENCH_COMMAND: Command<BenchFlags> = {
  name: "deno task bench",
  summary:
    "Times this project beside PyTorch and plain TensorFlow.js: the same network, weights, batches and optimizer, in turn. First " +
    "it checks that all compute the same gradients. About ten minutes; leave the machine alone meanwhile.",
  options: {
    rows: {
      kind: "string",
      default: null,
      defaultText: "all but bf16",
      group: "What",
      help: FORMS.map(({ row }) => row).join(", "),
      value: "ROW,…|all",
    },
    columns: {
      kind: "string",
      default: null,
      defaultText: "all",
      group: "What",
      help: COLUMN_NAMES.join(", "),
      value: "COLUMN,…|all",
    },
    batchSizes: {
      kind: "string",
      default: "1,32,128,512,1024",
      group: "What",
      help: "images a step, of the column sizes",
      value: "N,…",
    },
    epochImages: {
      kind: "integer",
      range: { from: 1, to: 50_000 },
      default: 2560,
      group: "What",
      help: "images of an epoch that is timed; the time is scaled to all 50,000",
      value: "N",
    },
    profile: {
      kind: "boolean",
      default: false,
      group: "What",
      help: "list the operations of a step with their times",
    },
    rounds: {
      kind: "integer",
      range: { from: 1, to: 1000 },
      default: null,
      defaultText: "9",
      group: "How",
      help: "rounds in which all take turns, after one that is thrown away",
      value: "N",
    },
    quick: {
      kind: "boolean",
      default: false,
      group: "How",
      help: "a trial of some columns in less than a minute: no measurement",
    },
    force: {
      kind: "boolean",
      default: false,
      group: "How",
      help: "measure although the machine is busy; the result says so",
    },
    python: {
      kind: "string",
      default: null,
      defaultText: "PyTorch is installed into .venv",
      group: "How",
      help: "a Python that has torch and safetensors",
      value: "PATH",
    },
    threads: {
      kind: "integer",
      range: { from: 1, to: 1024 },
      default: null,
      defaultText: "all cores",
      group: "How",
      help: "threads of both sides",
      value: "N",
    },
    data: { ...data, default: data.default, group: "How" },
    weights: { ...weights, default: weights.default, group: "How" },
    device: { ...device, default: "auto", group: "How" },
    json: {
      kind: "string",
      default: null,
      group: "Output",
      help: "write everything to a file",
      value: "FILE",
    },
    figure: {
      kind: "string",
      default: null,
      group: "Output",
      help: "draw bars into an SVG file",
      value: "FILE",
    },
  },
  examples: [
    ["deno task bench --json bench/results/laptop.json", "all of it"],
    ["deno task bench --quick --rows ours,plain", "see how it goes, without PyTorch"],
    ["deno task bench --columns epoch --rows ours,best --epoch-images 50000", "whole epochs"],
    ["deno task bench --rows ours --columns step --profile", "what a step's time is spent on"],
  ],
};
