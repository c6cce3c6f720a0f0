import { basename, dirname, extname, join } from "@std/path";
import type { FileToWrite } from "../support/write_files.ts";
import { InputError } from "../support/errors.ts";
import { formatSafetensors } from "../support/safetensors.ts";
import type { Checkpoint, StoredTensors } from "../training/checkpoint.ts";
import { describeNetwork } from "./fold_network.ts";
import { foldNetwork } from "./fold_network.ts";
import { writePytorchModule } from "./pytorch_module.ts";
import { toOnnx } from "./onnx.ts";
import { toTfjs } from "./tfjs.ts";

/** Target of an export. */
export type ExportFormat = "pytorch" | "onnx" | "tfjs";

/** File extension of each format; TensorFlow.js's output is a folder. */
export const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  pytorch: ".safetensors",
  onnx: ".onnx",
  tfjs: "",
};

/**
 * Exports a network. Every format takes red, green and blue, 0–255, and returns scores and response maps.
 *
 * - `pytorch`: `output` is a state dict in safetensors with PyTorch's names, and beside it lies a Python file
 *   with the module.
 * - `onnx`: `output` is a model with batch normalisation and generator folded away.
 * - `tfjs`: `output` is a folder with `model.json` and `weights.bin`.
 *
 * @throws {InputError} If `output` lacks the format's extension, or the scores could be NaN or infinite.
 */
export function exportNetwork(
  { config, recorded, classNames, network }:
    & Pick<Checkpoint, "config" | "recorded" | "classNames">
    & { network: StoredTensors },
  format: ExportFormat,
  output: string,
): FileToWrite[] {
  if (extname(output) !== ENDINGS[format] && format !== "tfjs") {
    throw new InputError(
      `Cannot export to ${output}: for ${format} the name must end in ${ENDINGS[format]}.`,
    );
  }
  const folded = foldNetwork(network, { ...config, classes: classNames.length }); // also a check of the numbers
  const facts = describeNetwork({ config, recorded, classNames });
  const description =
    `Network ${config.variant} of run ${config.run}. Trained on: ${recorded.data}. Weights: ${recorded.weights}.`;
  const encode = (text: string) => new TextEncoder().encode(text);
  switch (format) {
    case "pytorch": {
      const weightsFile = basename(output);
      // no package begins so: a torch.py would be imported instead of torch
      const moduleFile = `load_${weightsFile.slice(0, -ENDINGS.pytorch.length).replace(/\W/g, "_")}.py`;
      const module = writePytorchModule({ ...config, classNames, description, weightsFile, moduleFile });
      return [
        { path: output, bytes: formatSafetensors(network, { format: "pt", ...facts }) },
        { path: join(dirname(output), moduleFile), bytes: encode(module) },
      ];
    }
    case "onnx":
      return [{ path: output, bytes: toOnnx(folded, facts) }];
    case "tfjs": {
      const { model, weights } = toTfjs(folded, facts);
      return [
        { path: join(output, "model.json"), bytes: encode(model) },
        { path: join(output, "weights.bin"), bytes: weights },
      ];
    }
  }
}
