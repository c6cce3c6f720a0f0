/**
 * The network in a browser: lib/model itself, with plain data in and out. It computes on the backend that
 * TensorFlow.js has been given.
 *
 * @module
 */
import { measureEvidence } from "../lib/analysis/evidence.ts";
import { IMAGE_BYTES, IMAGE_SIZE } from "../lib/data/dataset.ts";
import { normaliseImages } from "../lib/data/normalise.ts";
import { dynamicConvolution } from "../lib/model/dynamic_convolution.ts";
import { classEmbeddings, generateFilters, makeFilters, normaliseRows } from "../lib/model/filters.ts";
import { createForwardContext, featureMap } from "../lib/model/network.ts";
import { predictScores } from "../lib/model/score_predictor.ts";
import { CHANNELS, isGenerated, MAP_SIZE, type NetworkSpec, type Variant } from "../lib/model/spec.ts";
import { countFilters, disposeAll, type StateDict } from "../lib/model/state_dict.ts";
import { argMax, requireFiniteScores, softmax } from "../lib/support/statistics.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import {
  type Checkpoint,
  formatCheckpoint,
  makeTensors,
  parseCheckpoint,
  type StoredTensors,
} from "../lib/training/checkpoint_format.ts";
import { calibrationOf } from "../lib/training/progress.ts";

/** Facts about the network that is open. */
export interface ExploredNetwork {
  /** Name of its run. */
  name: string;
  variant: Variant;
  /** In the order of the scores. */
  classNames: readonly string[];
  /** Divisor of the scores before the softmax; 1 where it was never fitted. */
  temperature: number;
  /** A prediction of a lower probability is unsure; null where that was never fitted. */
  unsureBelow: number | null;
  /** Accuracy on the test images, 0–1; null where it is not known. */
  testAccuracy: number | null;
  /** Accuracy on training images that were held out, 0–1; null where none were. */
  heldOutAccuracy: number | null;
  /** Name of the data set that it was trained on. */
  data: string;
}

/** What the network makes of a picture. */
export interface Look {
  /** Before the softmax, `[K]`. */
  scores: Float32Array;
  /** Calibrated probabilities, 0–1. */
  shares: number[];
  /** Class with the highest score. */
  predictedClass: number;
  /** The highest probability is below {@linkcode ExploredNetwork.unsureBelow}. */
  isUnsure: boolean;
  /** Response maps `[K,8,8]`, or `[1,8,8]` where all classes share a filter. */
  maps: Float32Array;
  /** Evidence for each class `[K,8,8]` (lib/analysis/evidence.ts); null where all classes share a filter. */
  evidence: Float32Array | null;
  /** Feature map v `[8,8,64]`. */
  features: Float32Array;
}

/** What one filter makes of a feature map. */
export interface Applied {
  /** Response map `[8,8]`. */
  map: Float32Array;
  /** Score of that map; of a network `static-ten-way`, whose map has a score for each class, the first. */
  score: number;
}

/** A network that is open; {@linkcode Engine.close} frees it. */
export class Engine {
  /** Facts about the network; other ones after a class was taught or forgotten. */
  network: ExploredNetwork;
  /** Filters `[K,64]` of length 1, or `[1,64]` where all classes share one. */
  filters: Float32Array;
  /** Class embeddings `[K,128]`; null where the filters are stored. */
  embeddings: Float32Array | null;
  #checkpoint: Checkpoint;
  #stored: StoredTensors;
  #tensors: StateDict;
  #filters: tf.Tensor2D;

  private constructor(checkpoint: Checkpoint, stored: StoredTensors) {
    this.#checkpoint = checkpoint;
    this.#stored = stored;
    this.#tensors = makeTensors(stored);
    const context = this.#context();
    const { variant } = checkpoint.config;
    this.#filters = tf.tidy(() => makeFilters(context, variant));
    this.filters = this.#filters.dataSync() as Float32Array;
    this.embeddings = isGenerated(variant)
      ? tf.tidy(() => classEmbeddings(context).dataSync() as Float32Array)
      : null;
    this.network = describe(checkpoint);
  }

  /**
   * Opens a checkpoint, of any variant and number of classes.
   *
   * @param label Name of the file in errors.
   * @throws {InputError} If it is damaged or not a checkpoint of this program.
   */
  static async open(checkpoint: Uint8Array, label: string): Promise<Engine> {
    await tf.ready();
    const opened = parseCheckpoint(checkpoint, label);
    return new Engine(opened, opened.readTensors().network);
  }

  /**
   * Looks at a picture.
   *
   * @param pixels Bytes `[32,32,3]`.
   * @throws {InputError} If a score is NaN or infinite.
   */
  async look(pixels: Uint8Array): Promise<Look> {
    if (pixels.length !== IMAGE_BYTES) throw new RangeError(`A picture has ${IMAGE_BYTES} bytes.`);
    const [v, mapTensor, scoreTensor] = tf.tidy(() => {
      const images = tf.tensor4d(normaliseImages(pixels), [1, IMAGE_SIZE, IMAGE_SIZE, 3]);
      const v = featureMap(this.#tensors, images, this.#options);
      const maps = dynamicConvolution(v, this.#filters); // [1,K,8,8]
      return [v, maps, predictScores(this.#context(), maps)];
    });
    const [features, maps, scores] = await read(v, mapTensor, scoreTensor);
    requireFiniteScores(scores, scores.length);
    const { temperature, unsureBelow } = this.network;
    const shares = softmax(scores, temperature);
    const predictedClass = argMax(scores);
    return {
      scores,
      shares,
      predictedClass,
      isUnsure: unsureBelow !== null && shares[predictedClass] < unsureBelow,
      maps,
      evidence: countFilters(this.#tensors) === 1
        ? null
        : await measureEvidence(this.#tensors, this.#options, maps),
      features,
    };
  }

  /**
   * Generates the filter `[64]`, of length 1, of an embedding `[128]`.
   *
   * @throws {RangeError} If the network stores its filters.
   */
  async generate(embedding: Float32Array): Promise<Float32Array> {
    if (this.embeddings === null) throw new RangeError("This network generates no filters.");
    const filter = tf.tidy(() =>
      normaliseRows(generateFilters(this.#context(), tf.tensor2d(embedding, [1, embedding.length])))
    );
    return (await read(filter))[0];
  }

  /** Applies a filter `[64]` of length 1 to a feature map `[8,8,64]`. */
  async apply(features: Float32Array, filter: Float32Array): Promise<Applied> {
    const [mapTensor, scoreTensor] = tf.tidy(() => {
      const v = tf.tensor4d(features, [1, MAP_SIZE, MAP_SIZE, CHANNELS]);
      const maps = dynamicConvolution(v, tf.tensor2d(filter, [1, CHANNELS]));
      return [maps, predictScores(this.#context(), maps)];
    });
    const [map, scores] = await read(mapTensor, scoreTensor);
    return { map, score: scores[0] };
  }

  /** Returns the network as a checkpoint file, which `evaluate`, `predict` and `export` read. */
  save(): Uint8Array<ArrayBuffer> {
    return formatCheckpoint({ ...this.#checkpoint, network: this.#stored, slots: null });
  }

  /** Frees the network. */
  close(): void {
    disposeAll(this.#tensors);
    this.#filters.dispose();
  }

  get #options(): NetworkSpec & { mode: "evaluate" } {
    const { variant, backbone, adapter } = this.#checkpoint.config;
    const classes = this.#checkpoint.classNames.length;
    return { variant, backbone, adapter, classes, mode: "evaluate" };
  }

  #context() {
    return createForwardContext(this.#tensors, this.#options);
  }
}

function describe({ config, progress, recorded, classNames }: Checkpoint): ExploredNetwork {
  const calibration = calibrationOf(progress);
  // of the epoch whose network this is
  const accuracy = progress.steps === 0 ? progress.history.at(-1)?.testAccuracy ?? null : null;
  return {
    name: config.run,
    variant: config.variant,
    classNames,
    temperature: calibration?.temperature ?? 1,
    unsureBelow: calibration?.threshold ?? null,
    testAccuracy: config.validation === 0 ? accuracy : null,
    heldOutAccuracy: config.validation === 0 ? null : accuracy,
    data: recorded.data,
  };
}

/** Reads and disposes tensors. */
async function read(...tensors: tf.Tensor[]): Promise<Float32Array[]> {
  try {
    return await Promise.all(tensors.map((tensor) => tensor.data())) as Float32Array[];
  } finally {
    tf.dispose(tensors);
  }
}
