/**
 * Publishes one trained model, chosen by a fixed rule, with its model card.
 *
 * @module
 */
import { join } from "@std/path";
import { writeText } from "../support/write_files.ts";
import { escapeMarkdown, formatCount, formatNumber } from "../support/format.ts";
import { InputError } from "../support/errors.ts";
import { median } from "../support/statistics.ts";
import { projectFolder } from "../support/project.ts";
import { openCheckpoint, writeCheckpoint } from "../training/checkpoint.ts";
import { compareResults, finalAccuracy } from "./comparison.ts";
import { REFERENCE } from "./experiments.ts";
import { formatMean } from "./markdown.ts";
import { nameRun } from "./plan.ts";
import { formatMachine } from "./provenance.ts";
import type { ExperimentResult, SeedResult } from "./results.ts";

/** Returns the folder of the published model. */
export function publishedModelFolder(): string {
  return join(projectFolder(), "checkpoints", "published");
}

/**
 * Chooses the seed whose best accuracy is the median, neither the luckiest nor the worst; with an even
 * number of seeds one of the two in the middle. Ties go to the lowest seed.
 *
 * @throws {RangeError} If there is no seed.
 */
export function chooseMedianSeed(seeds: readonly Pick<SeedResult, "seed" | "best">[]): number {
  if (seeds.length === 0) throw new RangeError("The median of no seeds is not defined.");
  const middle = median(seeds.map(({ best }) => best.accuracy));
  const distance = ({ best }: Pick<SeedResult, "best">) => Math.abs(best.accuracy - middle);
  const nearest = Math.min(...seeds.map(distance));
  // the mean of the two in the middle is equally far from both, but for its rounding
  const equal = seeds.filter((seed) => distance(seed) - nearest < 1e-9);
  return Math.min(...equal.map(({ seed }) => seed));
}

/** Options of {@linkcode publishModel}. */
export interface PublishModelOptions {
  /** Results of `dynamic`. */
  result: ExperimentResult;
  /** Folder of the comparison's runs. */
  runsFolder: string;
  /** Destination of model and card. @default {checkpoints/published} */
  folder?: string;
}

/**
 * Writes the best epoch of the median seed without its optimizer, and its card.
 *
 * @returns The model's path.
 * @throws {InputError} If its checkpoint is missing or damaged.
 */
export async function publishModel(options: PublishModelOptions): Promise<string> {
  const { result, runsFolder, folder = publishedModelFolder() } = options;
  if (result.experiment !== REFERENCE) throw new RangeError(`Only ${REFERENCE} is published.`);
  const seed = chooseMedianSeed(result.seeds);
  const source = join(runsFolder, nameRun(REFERENCE, seed), "best.safetensors");
  const { config, recorded, progress, readTensors } = await openCheckpoint(source);
  if (config.seed !== seed || config.variant !== "dynamic") {
    throw new InputError(`Cannot publish ${source}: it is not the run that the results come from.`);
  }
  // no paths of the machine that trained it
  const clean = { ...config, run: REFERENCE, data: null, weights: null };
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, `${REFERENCE}.safetensors`);
  const { network } = readTensors();
  writeCheckpoint(path, { config: clean, recorded, progress, network, slots: null });
  const card = formatCard(result, seed, Deno.statSync(path).size);
  writeText(join(folder, "README.md"), card);
  return path;
}

/** Formats the model card. */
export function formatCard(result: ExperimentResult, seed: number, bytes: number): string {
  const chosen = result.seeds.find((each) => each.seed === seed)!;
  const { best, history, sessions } = chosen;
  const [{ final, best: bestMean }] = compareResults([result]);
  const { recipe, data, parameters, seeds } = result;
  const percent = (fraction: number) => `${formatNumber(100 * fraction, 2)} %`;
  const last = sessions.at(-1);
  const augmentation = recipe.augment ? "random crops (4 pixels) and horizontal flips" : "no augmentation";
  return `# The published model

\`dynamic.safetensors\`: the network of the lab with dynamic filters, trained; ${
    formatCount(parameters)
  } parameters, ${Math.round(bytes / 1000)} kB,
float32, without the optimizer.

| | |
| --- | --- |
| Test accuracy | ${
    percent(best.accuracy)
  }, after epoch ${best.epoch} of ${history.length}; the epoch was chosen on the test set, so this is optimistic |
| … after the last epoch | ${percent(finalAccuracy(chosen))} |
| All seeds (${seeds.map((each) => each.seed).join(", ")}), in % | best epoch ${
    formatMean(bestMean)
  }, last epoch ${formatMean(final)} |
| Chosen | seed ${seed}, by rule: the seed with the median best accuracy, the lowest of equal ones |
| Data | ${escapeMarkdown(data.name)} (fingerprint ${data.fingerprint})${
    recipe.subset === null ? "" : `, ${recipe.subset} training images, balanced over the classes`
  } |
| Initial weights of the backbone | ${escapeMarkdown(result.weights)} |
| Recipe | ${recipe.epochs} epochs, batches of ${recipe.batchSize}, ${recipe.optimizer}, ${recipe.schedule} learning rate with peak ${recipe.learningRate}, weight decay ${recipe.weightDecay}, ${augmentation} |
${
    last === undefined
      ? ""
      : `| Trained | ${last.date.slice(0, 10)}, ${
        escapeMarkdown(formatMachine(last.machine))
      }, TensorFlow ${last.tensorflow} |\n`
  }
Made by \`deno task compare --publish\`. The file's metadata contain the configuration and the history.

## Use it here

\`\`\`sh
deno task evaluate checkpoints/published/dynamic.safetensors
\`\`\`

\`\`\`ts
import { openCheckpoint } from "./lib/training/checkpoint.ts";
const { config, loadNetwork } = await openCheckpoint("checkpoints/published/dynamic.safetensors");
const network = loadNetwork();
\`\`\`

## Use it in PyTorch

The tensors have PyTorch's names and layouts; \`tests/oracles/network.py\` holds the same network in PyTorch.

\`\`\`python
import sys
import torch
from safetensors.torch import load_file

sys.path.append("tests/oracles")
from network import Network

network = Network("dynamic")
network.load_state_dict(load_file("checkpoints/published/dynamic.safetensors"))
network.eval()
scores = network(torch.zeros(1, 3, 32, 32))  # [1, 10]; images [B,3,32,32], 0-1, normalised by ImageNet's mean and deviation
\`\`\`
`;
}
