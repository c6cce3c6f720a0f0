import { IMAGE_SIZE } from "../../lib/data/dataset.ts";
import { SYNTHETIC_NAME } from "../../lib/data/synthetic.ts";
import type { Fit, Prediction, ViewPrediction } from "../../lib/prediction/classify.ts";
import type { PreparedPicture } from "../../lib/prediction/prepare_picture.ts";
import { formatCount, formatNumber, formatPercent } from "../../lib/support/format.ts";
import type { Checkpoint } from "../../lib/training/checkpoint.ts";
import { type Calibration, describeProgress } from "../../lib/training/progress.ts";
import { formatBar } from "../shared/live.ts";
import { wrapText } from "../shared/table.ts";
import { outputWidth, plainSpaces, print, showPath } from "../shared/terminal.ts";

/** A classified picture. */
export interface PredictedView extends Omit<ViewPrediction, "view"> {
  label: string;
  /** Preparation of the picture in words. */
  how: string;
  views: readonly ViewPrediction[];
  trueClass?: number;
}

/** A picture that could not be used. */
export interface Failure {
  label: string;
  error: string;
}

/** Outcome for one picture. */
export type Result = PredictedView | Failure;

/** Describes how a picture was brought to 32×32. */
export function describePreparation(
  { format, width, height, isTransparent }: PreparedPicture,
  fit: Fit,
): string {
  const [size, side] = [`${width}×${height}`, Math.min(width, height)];
  const verb = side > IMAGE_SIZE ? "shrunk" : "enlarged";
  const wanted = `${IMAGE_SIZE}×${IMAGE_SIZE}`;
  const resized = width === height
    ? (side === IMAGE_SIZE ? `${wanted} already` : `${size} ${verb} to ${wanted}`)
    : {
      crop: `middle ${side}×${side} of ${size}` + (side === IMAGE_SIZE ? "" : ` ${verb} to ${wanted}`),
      pad: `${size} padded to ${wanted}`,
      stretch: `${size} stretched to ${wanted}`,
      average: `${size} stretched, cropped and padded to ${wanted}`,
    }[fit];
  return `${format}, ${resized}${isTransparent ? ", transparent parts on grey" : ""}`;
}

/** Tells whether a prediction is unsure; null if the checkpoint is not calibrated. */
function isUnsure({ probabilities, predictedClass }: Prediction, calibration: Calibration | null) {
  return calibration && probabilities[predictedClass] < calibration.threshold;
}

/** Prints a picture's scores, and what speaks against its prediction. */
export function printResult(
  { label, how, prediction, views, trueClass }: PredictedView,
  classNames: readonly string[],
  calibration: Calibration | null,
): void {
  const color = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
  const heading = color ? `\x1b[1m${label}\x1b[0m` : label;
  const truth = trueClass === undefined ? "" : `, true class ${classNames[trueClass]}`;
  const doubts: string[] = [];
  if (isUnsure(prediction, calibration)) {
    doubts.push(`Unsure: no probability reaches ${formatPercent(calibration!.threshold)}.`);
  }
  if (new Set(views.map(({ prediction }) => prediction.predictedClass)).size > 1) {
    const verb = { stretch: "stretched", crop: "cropped", pad: "padded" };
    const each = views.map(({ view, prediction: { predictedClass, probabilities } }) =>
      `${verb[view]} ${classNames[predictedClass]} ${formatPercent(probabilities[predictedClass])}`
    );
    doubts.push(`The views disagree: ${each.join(", ")}.`);
  }
  print([
    wrapText(`${heading}: ${how}${truth}`),
    formatPrediction(prediction, { classNames, width: outputWidth(), color }),
    ...doubts.map((doubt) => wrapText(doubt)),
    "",
  ].join("\n"));
}

const OTHER_COLUMNS = 2 + 2 + 7 + 2 + 2 + 8; // mark, score, percentage and the gaps
const WIDEST_BAR = 40;

/** Formats the scores with their probabilities as bars, highest first, the predicted class marked. */
export function formatPrediction(
  { scores, probabilities, predictedClass }: Prediction,
  { classNames, width = 80, color = false }: {
    classNames: readonly string[];
    width?: number;
    color?: boolean;
  },
): string {
  const nameWidth = Math.max(...classNames.map((name) => name.length));
  const barWidth = Math.max(6, Math.min(WIDEST_BAR, width - nameWidth - OTHER_COLUMNS));
  const order = classNames.map((_, label) => label)
    .sort((one, other) => probabilities[other] - probabilities[one] || scores[other] - scores[one]);
  // of equal scores the first is predicted, and sort keeps their order
  return order.map((label) => {
    const isPredicted = label === predictedClass;
    const name = classNames[label].padEnd(nameWidth);
    const score = formatNumber(scores[label], 2).padStart(7);
    const bar = formatBar(probabilities[label], barWidth, color);
    const percent = plainSpaces(formatPercent(probabilities[label])).padStart(8);
    const left = `${isPredicted ? "▸" : " "} ${name}  ${score}`;
    return `${color && isPredicted ? `\x1b[1m${left}\x1b[0m` : left}  ${bar}  ${percent}`;
  }).join("\n");
}

/** Describes the model and what its probabilities mean. */
export function describeModel(
  { path, config, progress, recorded }: Checkpoint,
  calibration: Calibration | null,
): string {
  const probabilities = calibration === null
    ? "not calibrated: this checkpoint was not chosen on held-out images (train with --validation N)."
    : `calibrated on ${formatCount(calibration.images)} held-out images like those of the training, unsure ` +
      `below ${
        formatPercent(calibration.threshold)
      }; on pictures of anything else one may be sure and wrong.`;
  return [
    `Model: ${config.variant} (${showPath(path)}, ${describeProgress(progress)}).`,
    describeOrigin(recorded),
    `Probabilities: ${probabilities}`,
  ].join("\n");
}

/** Names the training data and initial weights of the model. */
export function describeOrigin({ data, weights }: Checkpoint["recorded"]): string {
  const caution = data === SYNTHETIC_NAME
    ? " It knows synthetic images only: its predictions for photographs mean nothing."
    : "";
  return `Trained on: ${data}. Weights: ${weights}.${caution}`;
}

/** Makes the JSON object of all pictures. */
export function toJson(
  results: readonly Result[],
  { path, config, recorded, classNames }: Checkpoint,
  { calibration, ...settings }: { device: string; fit: Fit; calibration: Calibration | null },
): object {
  const name = ({ predictedClass, probabilities }: Prediction) => ({
    class: classNames[predictedClass],
    probability: probabilities[predictedClass],
  });
  return {
    model: path,
    variant: config.variant,
    trainedOn: recorded.data,
    weights: recorded.weights,
    ...settings,
    calibration,
    classes: classNames,
    images: results.map((result) => {
      if ("error" in result) return { image: result.label, error: result.error };
      const { label, how, prediction, views, trueClass } = result;
      return {
        image: label,
        ...name(prediction),
        unsure: isUnsure(prediction, calibration),
        scores: [...prediction.scores],
        probabilities: prediction.probabilities,
        views: views.map(({ view, prediction }) => ({ view, ...name(prediction) })),
        prepared: how,
        ...(trueClass === undefined ? {} : { trueClass: classNames[trueClass] }),
      };
    }),
  };
}
