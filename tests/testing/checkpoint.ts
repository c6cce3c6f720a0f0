import { CLASS_NAMES } from "../../lib/data/dataset.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import type { NetworkSpec } from "../../lib/model/spec.ts";
import { disposeAll, isStatistic, type StateDict } from "../../lib/model/state_dict.ts";
import { useNativeTensorFlow } from "../../lib/tensorflow/runtime/native.ts";
import * as tf from "../../lib/tensorflow/runtime/tf.ts";
import { saveCheckpoint } from "../../lib/training/checkpoint.ts";
import {
  type Calibration,
  type Environment,
  type Progress,
  startProgress,
} from "../../lib/training/progress.ts";
import { resolveConfig } from "../../lib/training/config.ts";
import { randomTensor } from "./tensors.ts";
import { EPOCH_RECORD } from "./training.ts";

/**
 * Saves a new network whose running statistics and affine parameters are not 0 and 1; with a calibration as
 * after an epoch. Returns `path`.
 */
export async function saveRandomCheckpoint(
  path: string,
  { data = "nothing", calibration, classes = 10, ...spec }: Partial<NetworkSpec> & {
    data?: string;
    calibration?: Calibration;
  } = {},
): Promise<string> {
  await useNativeTensorFlow();
  const config = resolveConfig({ flags: { ...spec, run: "random", weights: "random" } });
  const recorded: Environment = { data, weights: "random", device: "cpu", threads: 1, tensorflow: "0" };
  const classNames = Array.from({ length: classes }, (_, label) => CLASS_NAMES[label] ?? `class ${label}`);
  const network = roughen(createNetwork({ ...config, classes }, { seed: 1, classNames }));
  const progress: Progress = calibration === undefined ? startProgress() : {
    ...startProgress(),
    ...{ epochs: 1, totalSteps: EPOCH_RECORD.step, history: [EPOCH_RECORD] },
    best: { epoch: 1, accuracy: EPOCH_RECORD.testAccuracy, calibration },
  };
  await saveCheckpoint(path, { config, recorded, progress, classNames, network, slots: null });
  disposeAll(network);
  return path;
}

/** A fresh batch normalisation does nothing, so that one left out would not be noticed. */
function roughen(network: StateDict): StateDict {
  return Object.fromEntries(
    Object.entries(network).map(([name, tensor], index) => {
      if (!/bn\d\.|adapter\.1\./.test(name)) return [name, tensor];
      const rough = tf.tidy(() => {
        const noise = randomTensor<tf.Tensor>(tensor.shape, index);
        // variances from some 1e-4 to 1e4, so that also the small number added to them shows
        if (isStatistic(name) && name.endsWith("var")) return tf.mul(tensor, tf.exp(tf.mul(3, noise)));
        return tf.add(tensor, tf.mul(0.2, noise));
      });
      tensor.dispose();
      return [name, rough];
    }),
  );
}
