import { basename, dirname, extname, join } from "@std/path";
import { writeFileAtomically } from "../support/files.ts";
import { InputError } from "../support/errors.ts";
import { formatSafetensors } from "../support/safetensors.ts";
import type { CheckpointMetadata, StoredTensors } from "../training/checkpoint.ts";
import { describeNetwork } from "./contract.ts";
import { writeDemoPage } from "./demo_page.ts";
import { foldNetwork } from "./fold_network.ts";
import { writePytorchModule } from "./pytorch_module.ts";
import { toOnnx } from "./to_onnx.ts";
import { toTfjs } from "./to_tfjs.ts";

/** For what a network is exported. */
export type ExportFormat = "pytorch" | "onnx" | "tfjs";

/** A file to be written. */
export interface ExportedFile {
  /** Where it goes. */
  path: string;
  /** What it holds. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** The ending of what each format is written to; TensorFlow.js's is a folder. */
export const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  pytorch: ".safetensors",
  onnx: ".onnx",
  tfjs: "",
};

/**
 * Makes the files of an exported network. All take red, green and blue as 0–255, and give scores and response maps.
 *
 * - `pytorch`: `output` is a state dict in safetensors with PyTorch's names, and beside it lies a Python file with the module.
 * - `onnx`: `output` is a model with batch normalisation and generator folded away.
 * - `tfjs`: `output` is a folder with `model.json`, `weights.bin` and a page that shows them at work.
 *
 * @throws {InputError} If `output` has not the format's ending.
 */
export function exportNetwork(
  { config, recorded, network }: Pick<CheckpointMetadata, "config" | "recorded"> & { network: StoredTensors },
  format: ExportFormat,
  output: string,
): ExportedFile[] {
  if (extname(output) !== ENDINGS[format] && format !== "tfjs") {
    throw new InputError(
      `Cannot export to ${output}: for ${format} the name must end in ${ENDINGS[format]}.`,
    );
  }
  const facts = describeNetwork(config, recorded);
  const description =
    `Network ${config.variant} of run ${config.run}. Trained on: ${recorded.data}. Weights: ${recorded.weights}.`;
  const encode = (text: string) => new TextEncoder().encode(text);
  switch (format) {
    case "pytorch": {
      const weightsFile = basename(output);
      const moduleFile =
        weightsFile.slice(0, -ENDINGS.pytorch.length).replace(/\W/g, "_").replace(/^(?=\d)/, "_") + ".py";
      const module = writePytorchModule({ ...config, description, weightsFile, moduleFile });
      return [
        { path: output, bytes: formatSafetensors(network, { format: "pt", ...facts }) },
        { path: join(dirname(output), moduleFile), bytes: encode(module) },
      ];
    }
    case "onnx":
      return [{ path: output, bytes: toOnnx(foldNetwork(network, config), facts) }];
    case "tfjs": {
      const { model, weights } = toTfjs(foldNetwork(network, config), facts);
      const page = writeDemoPage({ title: `CIFAR-10: ${config.run}`, note: description });
      return [
        { path: join(output, "model.json"), bytes: encode(model) },
        { path: join(output, "weights.bin"), bytes: weights },
        { path: join(output, "index.html"), bytes: encode(page) },
      ];
    }
  }
}

/** Writes files, each in one step, and the folders they go to. */
export function writeFiles(files: readonly ExportedFile[]): void {
  for (const { path, bytes } of files) {
    Deno.mkdirSync(dirname(path), { recursive: true });
    writeFileAtomically(path, bytes);
  }
}
