import { join } from "@std/path";
import { ENDINGS, type ExportFormat, exportNetwork } from "../lib/export/export_network.ts";
import { InputError } from "../lib/support/errors.ts";
import type { FileToWrite } from "../lib/support/write_files.ts";
import { exists } from "../lib/support/files.ts";
import { choice, textOption } from "../lib/support/schema.ts";
import { projectFolder } from "../lib/support/project.ts";
import { calibrationOf, describeProgress } from "../lib/training/progress.ts";
import { type Checkpoint, openCheckpoint } from "../lib/training/checkpoint.ts";
import { filterCount } from "../lib/model/spec.ts";
import { findCheckpoint } from "../lib/training/run_folder.ts";
import { formatBytes } from "../lib/support/format.ts";
import { runCommand } from "./shared/command.ts";
import { warnOfMapSign } from "./shared/load.ts";
import { FORCE_OPTION, writeOutputs } from "./shared/outputs.ts";
import { CHECKPOINT_ARGUMENT, type Command, type CommandLine, JSON_OPTION } from "./shared/options.ts";
import { print } from "./shared/terminal.ts";

export const COMMAND = {
  name: "deno task export",
  summary: "Writes a trained network for PyTorch, ONNX or TensorFlow.js in a browser.",
  positionals: CHECKPOINT_ARGUMENT,
  options: {
    format: { schema: choice(["pytorch", "onnx", "tfjs"]), isRequired: true, help: "target format" },
    output: textOption("file to write, or folder for tfjs", "PATH", {
      defaultText: "RUN with the format's ending, in the project's dist/",
    }),
    force: { ...FORCE_OPTION, group: undefined },
    json: {
      ...JSON_OPTION,
      group: undefined,
      help: "print the files' paths as one JSON object on standard output",
    },
  },
  examples: [
    ["deno task export dynamic --format onnx", "dist/dynamic.onnx"],
    ["deno task export dynamic --format pytorch", "dist/dynamic.safetensors, and load_dynamic.py"],
    ["deno task export dynamic --format tfjs --output site/model", "a folder for a web page"],
  ],
} satisfies Command;

async function main({ values, positionals }: CommandLine<typeof COMMAND>): Promise<void> {
  const { format } = values;
  const checkpoint = await openCheckpoint(findCheckpoint(positionals[0], "best"));
  const output = values.output ?? defaultOutput(checkpoint, format);
  const { network } = checkpoint.readTensors();
  const files = exportNetwork({ ...checkpoint, network }, format, output);
  const source = Deno.realPathSync(checkpoint.path);
  if (files.some(({ path }) => exists(path) && Deno.realPathSync(path) === source)) {
    const why = "that is the checkpoint itself";
    throw new InputError({ what: `export to ${checkpoint.path}`, why, next: [{ set: { output: "PATH" } }] });
  }
  writeOutputs(files, { origin: `an export of ${source}`, force: values.force });
  warnOfMapSign(checkpoint);
  print(values.json ? toJson(files, checkpoint) : describe(files, checkpoint, format));
}

function defaultOutput({ config }: Checkpoint, format: ExportFormat): string {
  const name = format === "tfjs" ? `${config.run}-tfjs` : config.run;
  return join(projectFolder(), "dist", name + ENDINGS[format]);
}

function describe(
  files: readonly FileToWrite[],
  { path, config, progress, recorded, classNames }: Checkpoint,
  format: ExportFormat,
): string {
  const classes = classNames.length;
  const calibration = calibrationOf(progress);
  const maps = filterCount(config.variant, classes);
  const input = format === "tfjs" ? "[N,32,32,3]" : "[N,3,32,32]";
  const next: Record<ExportFormat, string> = {
    pytorch: `Try it: python ${files.at(-1)!.path} (needs torch and safetensors).`,
    onnx: `Try it: onnxruntime.InferenceSession("${files[0].path}").run(None, {"images": pictures}).`,
    tfjs:
      `Try it: tf.loadGraphModel("model.json"), in a served folder. A page to play with: deno task explore --model ${path}.`,
  };
  return [
    `${config.variant} (${path}, ${describeProgress(progress)})`,
    ...files.map(({ path, bytes }) => `  ${path}  ${formatBytes(bytes.length)}`),
    `In: images ${input}, red, green and blue as float32 0–255; normalisation is inside.`,
    `Out: scores [N,${classes}] before the softmax, maps [N,${maps},8,8].`,
    ...calibration === null ? [] : [
      `Calibrated probabilities: the softmax of the scores divided by ${calibration.temperature.toFixed(4)}.`,
    ],
    next[format],
    `Trained on: ${recorded.data}. Weights: ${recorded.weights}.`,
  ].join("\n");
}

function toJson(
  files: readonly FileToWrite[],
  { path, config, recorded }: Checkpoint,
): string {
  const { data: trainedOn, weights } = recorded;
  return JSON.stringify({
    checkpoint: path,
    variant: config.variant,
    files: files.map(({ path }) => path),
    trainedOn,
    weights,
  });
}

if (import.meta.main) await runCommand(COMMAND, main);
