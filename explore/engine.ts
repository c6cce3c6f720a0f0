/**
 * The network in a browser: lib/model itself, with plain data in and out. It computes on the backend that
 * TensorFlow.js has been given.
 */
import { contrastMaps, weighMaps } from "../lib/analysis/evidence.ts";
import { addClass, removeClass } from "../lib/analysis/new_class.ts";
import { MAP_CELLS } from "../lib/analysis/scorer.ts";
import { requireTeachable } from "../lib/analysis/teach.ts";
import { IMAGE_BYTES, IMAGE_SIZE } from "../lib/data/dataset.ts";
import { normaliseImages } from "../lib/data/normalise.ts";
import { dynamicConvolution } from "../lib/model/dynamic_convolution.ts";
import { classEmbeddings, generateFilters, makeFilters, normaliseRows } from "../lib/model/filters.ts";
import { createForwardContext, featureMap } from "../lib/model/network.ts";
import { predictScores } from "../lib/model/score_predictor.ts";
import { CHANNELS, isGenerated, MAP_SIZE, type NetworkSpec } from "../lib/model/spec.ts";
import { disposeAll, type StateDict } from "../lib/model/state_dict.ts";
import { InputError } from "../lib/support/errors.ts";
import { argMax, requireFiniteScores, softmax } from "../lib/support/statistics.ts";
import * as tf from "../lib/tensorflow/runtime/tf.ts";
import {
  type Checkpoint,
  formatCheckpoint,
  makeTensors,
  parseCheckpoint,
  type StoredTensors,
} from "../lib/training/checkpoint_format.ts";
import { describeNetwork, type ExploredNetwork } from "./explored_network.ts";
import type { KnownFeatures } from "./known_features.ts";
import { learnFromPictures, VALUES } from "./teaching.ts";

export type { ExploredNetwork };

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

/** What teaching a class has reached. */
export interface Taught {
  /** Pictures that were held out. */
  heldOut: number;
  /** Those of them that are recognised. */
  recognised: number;
  seconds: number;
}

/** A network that is open; {@linkcode Engine.close} frees it. */
export class Engine {
  /** Facts about the network; other ones after a class was taught or forgotten. */
  network!: ExploredNetwork;
  /** Filters `[K,64]` of length 1, or `[1,64]` where all classes share one. */
  filters!: Float32Array;
  /** Class embeddings `[K,128]`; null where the filters are stored. */
  embeddings!: Float32Array | null;
  #checkpoint!: Checkpoint;
  #stored!: StoredTensors;
  #tensors!: StateDict;
  #filters!: tf.Tensor2D;
  readonly #opened: Checkpoint;
  readonly #known: KnownFeatures | null;
  /** Feature maps of the pictures of each class that was taught here. */
  readonly #taught = new Map<string, Float32Array>();
  /** The class that is being learned. */
  #learning: string | null = null;

  private constructor(checkpoint: Checkpoint, stored: StoredTensors, known: KnownFeatures | null) {
    this.#opened = checkpoint;
    this.#known = known;
    this.#set(checkpoint, stored);
  }

  /** Takes a network. */
  #set(checkpoint: Checkpoint, stored: StoredTensors) {
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
    this.network = describeNetwork(checkpoint);
  }

  /**
   * Opens a checkpoint, of any variant and number of classes.
   *
   * @param label Name of the file in errors.
   * @param known To tell new classes from; without them, or with another network's, none can be taught.
   * @throws {InputError} If it is damaged or not a checkpoint of this program.
   */
  static async open(
    checkpoint: Uint8Array,
    label: string,
    known: KnownFeatures | null = null,
  ): Promise<Engine> {
    await tf.ready();
    const opened = parseCheckpoint(checkpoint, label);
    return new Engine(opened, opened.readTensors().network, known);
  }

  /** What {@linkcode Engine.open} was given to tell new classes from. */
  get known(): KnownFeatures | null {
    return this.#known;
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
      evidence: maps.length === MAP_CELLS ? null : await this.#measureEvidence(maps),
      features,
    };
  }

  /** @param maps `[K,8,8]`; meanwhile a class may have been taught, which changes nothing here. */
  async #measureEvidence(maps: Float32Array): Promise<Float32Array> {
    const weighed = await weighMaps(this.#tensors, this.#options, maps);
    return contrastMaps(weighed, maps.length / MAP_CELLS);
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

  /**
   * Teaches the network a class: learns its embedding, or its filter where filters are stored, and nothing
   * else. The scores of the other classes stay as they are, bit for bit.
   *
   * @param pictures Bytes `[32,32,3]` each; of ten and more a fifth is held out.
   * @param onProgress Called with the share that is done, 0–1.
   * @throws {InputError} If the name, the number of pictures or the network does not allow it.
   */
  async teach(
    name: string,
    pictures: readonly Uint8Array[],
    onProgress: (done: number) => void,
  ): Promise<Taught> {
    const start = performance.now();
    this.#requireIdle(`teach the class ${name}`);
    requireTeachable(this.#checkpoint, name);
    const spec = this.#options;
    const pupil = { tensors: this.#tensors, spec, network: this.#stored, checkpoint: this.#checkpoint };
    this.#learning = name;
    const { vector, features, heldOut } = await learnFromPictures(
      pupil,
      { name, pictures, known: this.#known, taught: this.#taught },
      onProgress,
    ).finally(() => this.#learning = null);
    this.#taught.set(name, features);
    this.#replace([...this.network.classNames, name], addClass(this.#stored, vector));
    const { images, recognised } = heldOut;
    return { heldOut: images, recognised, seconds: (performance.now() - start) / 1000 };
  }

  /** Names of the classes that were taught or added here. */
  get taught(): readonly string[] {
    return [...this.#taught.keys()];
  }

  /**
   * Adds a class that was learned before.
   *
   * @param vector Its embedding `[128]`, or its filter where filters are stored.
   * @throws {InputError} If the name or the network does not allow it, or the vector is not of this network.
   */
  add(name: string, vector: Float32Array): void {
    this.#requireIdle(`add the class ${name}`);
    requireTeachable(this.#checkpoint, name);
    const length = (this.embeddings ?? this.filters).length / this.network.classNames.length;
    if (vector.length !== length || !vector.every(Number.isFinite)) {
      throw new InputError({
        what: `add the class ${name}`,
        why: `it has not the ${length} numbers of this network's classes`,
      });
    }
    this.#taught.set(name, new Float32Array()); // its pictures are elsewhere
    this.#replace([...this.network.classNames, name], addClass(this.#stored, vector));
  }

  /** Takes a class that was taught or added here out of the network. @throws {RangeError} If it was not. */
  forget(name: string): void {
    this.#requireIdle(`forget the class ${name}`);
    if (!this.#taught.delete(name)) throw new RangeError(`No class ${name} was taught here.`);
    const label = this.network.classNames.indexOf(name);
    this.#replace(this.network.classNames.toSpliced(label, 1), removeClass(this.#stored, label));
  }

  /** Takes a network with other classes; with those of the file, all is as it was. */
  #replace(classNames: readonly string[], network: StoredTensors): void {
    const { progress, recorded, ...opened } = this.#opened;
    const added = [...this.#taught].map(([name, { length }]) =>
      length > 0 ? `${name} (${length / VALUES} pictures)` : `${name} (learned before)`
    );
    const isOpened = added.length === 0;
    this.#free();
    this.#set(
      isOpened ? this.#opened : {
        ...opened,
        classNames,
        recorded: { ...recorded, data: [recorded.data, ...added].join(" + ") },
        // temperature and threshold were fitted for the classes of the file
        progress: {
          ...progress,
          best: progress.best && { epoch: progress.best.epoch, accuracy: progress.best.accuracy },
        },
      },
      network,
    );
    if (!isOpened) this.network = { ...this.network, testAccuracy: null, heldOutAccuracy: null };
  }

  /** Returns the network as a checkpoint file, which `evaluate`, `predict` and `export` read. */
  save(): Uint8Array<ArrayBuffer> {
    return formatCheckpoint({ ...this.#checkpoint, network: this.#stored, slots: null });
  }

  /** Frees the network. @throws {InputError} While it learns a class. */
  close(): void {
    this.#requireIdle("close the network");
    this.#free();
  }

  /** Refuses to change the network while it learns a class, whose tensors would go. */
  #requireIdle(what: string): void {
    if (this.#learning === null) return;
    const why = `it is learning the class ${this.#learning}`;
    throw new InputError({ what, why, next: [{ advice: "wait until it is learned" }] });
  }

  #free(): void {
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

/** Reads and disposes tensors. */
async function read(...tensors: tf.Tensor[]): Promise<Float32Array[]> {
  try {
    return await Promise.all(tensors.map((tensor) => tensor.data())) as Float32Array[];
  } finally {
    tf.dispose(tensors);
  }
}
