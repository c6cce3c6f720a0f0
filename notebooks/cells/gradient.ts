import type { NetworkSpec } from "../../lib/model/spec.ts";
import { isTrainable, type StateDict } from "../../lib/model/state_dict.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { computeGradients, type TensorBatch } from "../../lib/training/train_step.ts";

/** The loss of a network on a batch, and how strongly it pulls at the parameters. */
export interface LossAndGradient {
  /** Mean cross-entropy in nats. */
  loss: number;
  /** Length of the gradient over all parameters. */
  norm: number;
  /** Length of the gradient of each part (`backbone`, `score_predictor`, …). */
  parts: Record<string, number>;
}

/** Measures loss and gradient of a network on a batch, as a training step does it. */
export async function measureGradient(
  spec: NetworkSpec,
  network: StateDict,
  batch: TensorBatch,
): Promise<LossAndGradient> {
  const entries = Object.entries(network);
  const trainable = Object.fromEntries(entries.filter(([name]) => isTrainable(name, spec.backbone)));
  const fixed = Object.fromEntries(entries.filter(([name]) => !isTrainable(name, spec.backbone)));
  const settings = { ...spec, labelSmoothing: 0, clipNorm: null };
  const { gradients, loss, statistics, correct } = computeGradients(settings, { trainable, fixed }, batch);
  const squares: Record<string, number> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const part = name.split(".")[0];
    const values = await gradient.data() as Float32Array;
    squares[part] = (squares[part] ?? 0) + values.reduce((sum, value) => sum + value * value, 0);
  }
  const [value] = await loss.data();
  tf.dispose([...Object.values(gradients), ...Object.values(statistics), loss, correct]);
  return {
    loss: value,
    norm: Math.sqrt(Object.values(squares).reduce((sum, square) => sum + square, 0)),
    parts: Object.fromEntries(Object.entries(squares).map(([part, square]) => [part, Math.sqrt(square)])),
  };
}
