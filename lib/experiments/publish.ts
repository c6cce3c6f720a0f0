/**
 * Publishes one trained model with its model card: training and choice are fixed beforehand, so that its test
 * accuracy is that of a network which was not chosen by it.
 */
import { join } from "@std/path";
import { type CalibrationReport, measureCalibration } from "../analysis/calibration.ts";
import type { Dataset } from "../data/dataset.ts";
import { SYNTHETIC_NAME } from "../data/synthetic.ts";
import { disposeAll } from "../model/state_dict.ts";
import { summarise } from "../model/summary.ts";
import { escapeMarkdown, formatCount, formatNumber } from "../support/format.ts";
import { InputError } from "../support/errors.ts";
import { projectFolder } from "../support/project.ts";
import { type MeanInterval, wilsonInterval } from "../support/statistics.ts";
import { writeText } from "../support/write_files.ts";
import { type Checkpoint, openCheckpoint, writeCheckpoint } from "../training/checkpoint.ts";
import { resolveConfig, type TrainConfig } from "../training/config.ts";
import { evaluate, type Metrics } from "../training/evaluate.ts";
import { calibrationOf } from "../training/progress.ts";
import { REFERENCE } from "./experiments.ts";
import { listDifferences } from "./runs.ts";

/** Options of the published model's training: the lab's recipe, the best epoch chosen on held-out images. */
export const PUBLISHED_OPTIONS = { validation: 5000, seed: 0 } as const;

export function publishedModelFolder(): string {
  return join(projectFolder(), "checkpoints", "published");
}

/** Checks that a training is that of the published model. @throws {InputError} If an option differs. */
export function requirePublishable(config: TrainConfig): void {
  const differences = listDifferences(config, resolveConfig({ flags: PUBLISHED_OPTIONS }));
  if (config.data === SYNTHETIC_NAME) differences.push("has synthetic images instead of CIFAR-10");
  if (differences.length === 0) return;
  throw new InputError({
    what: `publish run ${config.run}`,
    why: `the published model's training is fixed, and this one ${differences.join(", ")}`,
    next: [{ set: PUBLISHED_OPTIONS }],
  });
}

export interface PublishModelOptions {
  /** Folder of the finished run. */
  run: string;
  /** All test images. */
  test: Dataset;
  /** Destination of model and card. @default {checkpoints/published} */
  folder?: string;
}

/**
 * Writes a run's best epoch without its optimizer, and its card with what is measured on the test images.
 *
 * @returns The model's path.
 * @throws {InputError} If it is not the run to publish, is not finished, or was trained on other images.
 */
export async function publishModel(options: PublishModelOptions): Promise<string> {
  const { run, test, folder = publishedModelFolder() } = options;
  const checkpoint = await openCheckpoint(join(run, "best.safetensors"));
  const { progress: last } = await openCheckpoint(join(run, "last.safetensors"));
  const { config, recorded, progress } = checkpoint;
  requirePublishable(config);
  const refuse = (why: string) => new InputError({ what: `publish run ${config.run}`, why });
  if (last.epochs < config.epochs || last.best?.epoch !== progress.best?.epoch) {
    throw refuse("it is not finished, or its best epoch is lost");
  }
  if (recorded.data !== test.name || recorded.data === SYNTHETIC_NAME) {
    throw refuse(`it was trained on ${recorded.data}, and the test images are those of ${test.name}`);
  }
  const calibration = calibrationOf(progress);
  if (calibration === null || !progress.isSignChosen) throw refuse("an older version trained it");
  const network = checkpoint.loadNetwork();
  const { scores, ...metrics } = await evaluate(network, test, config);
  disposeAll(network);
  // no paths of the machine that trained it
  const clean = { ...config, run: REFERENCE, data: null, weights: null };
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, `${REFERENCE}.safetensors`);
  const stored = checkpoint.readTensors().network;
  writeCheckpoint(path, { ...checkpoint, config: clean, network: stored, slots: null });
  const report = measureCalibration({ scores, labels: test.labels }, calibration);
  const bytes = Deno.statSync(path).size;
  writeText(join(folder, "README.md"), formatCard(checkpoint, { ...metrics, ...report, bytes }));
  return path;
}

/** Formats the model card. */
function formatCard(
  { config, recorded, progress }: Checkpoint,
  { loss, accuracy, uncalibrated, calibrated, bytes }: Metrics & CalibrationReport & {
    bytes: number;
  },
): string {
  const percent = (fraction: number, decimals = 2) => `${formatNumber(100 * fraction, decimals)} %`;
  const withInterval = (fraction: number, [low, high]: readonly number[], decimals = 2) =>
    `${percent(fraction, decimals)} [${
      [low, high].map((end) => formatNumber(100 * end, decimals)).join(", ")
    }]`;
  const error = ({ mean, interval }: MeanInterval) => withInterval(mean, interval!, 1);
  const { temperature, threshold, error: after, sureness } = calibrated!;
  const { correct, correctUnsure, wrong, wrongSure } = sureness;
  const images = correct + wrong;
  const augmentation = config.augment ? "random crops (4 pixels) and horizontal flips" : "no augmentation";
  return `# The published model

\`dynamic.safetensors\`: the network of the lab with dynamic filters, trained; ${
    formatCount(summarise(config).parameters)
  } parameters, ${Math.round(bytes / 1000)} kB,
float32, without the optimizer. Intervals are 95 %.

| | |
| --- | --- |
| Test accuracy | ${withInterval(accuracy, wilsonInterval(correct, images))} on ${
    formatCount(images)
  } images, loss ${loss.toFixed(4)}, after epoch ${progress.best!.epoch} of ${config.epochs} |
| Chosen | seed ${config.seed}, fixed beforehand; the epoch by its accuracy of ${
    percent(progress.best!.accuracy)
  } on ${
    formatCount(config.validation)
  } training images that were held out, so the test images chose nothing |
| Calibration | expected calibration error ${error(uncalibrated)} before, ${
    error(after)
  } after the division of the scores by the temperature ${
    temperature.toFixed(3)
  }, fitted on the held-out images |
| Unsure | below a probability of ${
    percent(threshold, 1)
  }, set so that 95 % of the correct held-out predictions stay sure; of the test images ${
    formatCount(correctUnsure)
  } of ${formatCount(correct)} correct predictions are unsure, and ${formatCount(wrongSure)} of ${
    formatCount(wrong)
  } wrong ones are sure |
| Data | ${escapeMarkdown(recorded.data)} (fingerprint ${recorded.fingerprint}) |
| Initial weights of the backbone | ${escapeMarkdown(recorded.weights)} |
| Recipe | ${config.epochs} epochs, batches of ${config.batchSize}, ${config.optimizer}, ${config.schedule} learning rate with peak ${config.learningRate}, weight decay ${config.weightDecay}, ${augmentation} |
| Trained on | ${
    escapeMarkdown(recorded.processor ?? "unknown")
  }, ${recorded.threads} threads, TensorFlow ${recorded.tensorflow} |

Made by \`deno task train --validation ${PUBLISHED_OPTIONS.validation} --publish\`. The file's metadata contain the configuration, the
history and the calibration.

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
