import * as tf from "../tensorflow/runtime/tf.ts";
import type { Dataset } from "../data/dataset.ts";
import { mapScoreCovariance, negateMaps } from "../model/map_sign.ts";
import { forward } from "../model/network.ts";
import type { NetworkSpec } from "../model/spec.ts";
import { createImageSource } from "./batch_source.ts";
import { joinState } from "./start_training.ts";
import type { TrainState } from "./train_step.ts";

/** Training images that the sign is chosen by, without augmentation; 60 of them give the same. */
const IMAGES = 250;

/**
 * Negates a training's response maps if the scores fall with them; everything else continues as it would
 * have.
 *
 * @returns True if it changed the state.
 */
export async function chooseSign(state: TrainState, images: Dataset, spec: NetworkSpec): Promise<boolean> {
  const [batch] = createImageSource(images).batches({ batchSize: IMAGES, shuffle: true });
  const covariance = tf.tidy(() =>
    mapScoreCovariance(
      forward(joinState(state), tf.tensor4d(batch.values, batch.shape), { ...spec, mode: "evaluate" }),
    )
  );
  const falls = (await covariance.data())[0] < 0;
  covariance.dispose();
  if (falls) [state.trainable, state.slots].forEach(negateMaps);
  return falls;
}
