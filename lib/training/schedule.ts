import type { ScheduleName } from "./config.ts";

const WARM_UP = 0.3; // fraction of the steps; these three are torch.optim.lr_scheduler.OneCycleLR's defaults
const START_DIVISOR = 25;
const END_DIVISOR = 1e4;
const TRIANGLE_TOP = 0.2; // fraction of the steps
const TRIANGLE_START = 0.2; // fraction of the peak

/** Options of {@linkcode learningRateAt}. */
export interface ScheduleOptions {
  /** Name of the schedule. */
  schedule: ScheduleName;
  /** Learning rate at its peak. */
  learningRate: number;
  /** Steps of the whole training. */
  totalSteps: number;
}

/**
 * Computes the learning rate of a step.
 *
 * - `one-cycle` (Smith and Topin 2018, arXiv:1708.07120; `OneCycleLR`): from peak/25 up to the peak in the
 *   first 30 % of the steps, down to peak/250,000 in the rest, each along half a cosine;
 * - `cosine` (Loshchilov and Hutter 2017, arXiv:1608.03983; `CosineAnnealingLR`): from the peak along half a
 *   cosine towards 0;
 * - `triangular`: from a fifth of the peak straight up to it in the first 20 % of the steps, and down to 0;
 * - `constant`.
 *
 * @param step 0 for the first.
 */
export function learningRateAt(
  step: number,
  { schedule, learningRate: peak, totalSteps }: ScheduleOptions,
): number {
  if (schedule === "constant") return peak;
  if (schedule === "cosine") return anneal(peak, 0, step / totalSteps);
  if (schedule === "triangular") {
    const top = TRIANGLE_TOP * totalSteps;
    return step < top
      ? peak * (TRIANGLE_START + (1 - TRIANGLE_START) * step / top)
      : peak * (totalSteps - step) / (totalSteps - top);
  }
  const [start, end] = [peak / START_DIVISOR, peak / START_DIVISOR / END_DIVISOR];
  const top = WARM_UP * totalSteps - 1;
  return step <= top
    ? anneal(start, peak, step / top)
    : anneal(peak, end, (step - top) / (totalSteps - 1 - top));
}

/** Interpolates between two values along half a cosine, for `fraction` from 0 to 1. */
function anneal(from: number, to: number, fraction: number): number {
  return to + (from - to) / 2 * (1 + Math.cos(Math.PI * fraction));
}
