/**
 * Feature maps of some training images of each class, from which the page tells a new class. Twenty images and
 * two bits per value teach as well as more of both; images themselves are not ours to give away.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { extractFeatures } from "../lib/analysis/new_class.ts";
import { chooseKnown } from "../lib/analysis/teach.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import { disposeAll } from "../lib/model/state_dict.ts";
import { CHANNELS, MAP_SIZE } from "../lib/model/spec.ts";
import { formatSafetensors, parseSafetensors, type StoredTensor } from "../lib/support/safetensors_format.ts";
import { type Checkpoint, makeTensors, type StoredTensors } from "../lib/training/checkpoint_format.ts";
import { roundWeights } from "./packing.ts";

/** Feature maps of images of the classes that a network knows. */
export interface KnownFeatures {
  /** `[N,8,8,64]` */
  features: Float32Array;
  /** Positions in {@linkcode KnownFeatures.classNames}, `[N]`. */
  labels: Uint8Array;
  classNames: readonly string[];
  /** Name of the data set that the images are of. */
  data: string;
  /** {@linkcode fingerprintBackbone} of the network that computed them. */
  fingerprint: string;
}

/** Name of their file, beside a network's. */
export const FEATURES_FILE = "features.safetensors";

/** Images of each class. */
const IMAGES_PER_CLASS = 20;

const CELLS = MAP_SIZE * MAP_SIZE;
/** Codes 0 to 3; values beyond the scale are cut. */
const LARGEST_CODE = 3;
/** Share of a channel's values that the codes reach. */
const REACHED = 0.998;

/** Computes the feature maps of the first training images of each class. @param train The network's. */
export async function computeKnownFeatures(
  { config, classNames, readTensors }: Checkpoint,
  train: Dataset,
): Promise<KnownFeatures> {
  const { network } = readTensors();
  const tensors = makeTensors(network);
  const { features, labels } = await extractFeatures(
    tensors,
    config,
    chooseKnown(train, classNames, IMAGES_PER_CLASS),
  );
  disposeAll(tensors);
  return { features, labels, classNames, data: train.name, fingerprint: fingerprintBackbone(network) };
}

/** Identifies the tensors that feature maps depend on, in the precision that a page holds them in. */
export function fingerprintBackbone(network: StoredTensors): string {
  const hash = sha256.create();
  for (const [name, { data }] of network) {
    if (!/^(backbone|adapter)\./.test(name)) continue;
    hash.update(new Uint8Array(roundWeights(data as Float32Array).buffer));
  }
  return hash.digest().toHex();
}

/** Quantises feature maps and formats them as a safetensors file. */
export function formatKnownFeatures(
  { features, labels, classNames, data, fingerprint }: KnownFeatures,
): Uint8Array<ArrayBuffer> {
  const scale = Float32Array.from({ length: CHANNELS }, (_, channel) => {
    const values = features.filter((_, at) => at % CHANNELS === channel).sort();
    return values[Math.floor(REACHED * values.length)] / LARGEST_CODE;
  });
  const codes = new Uint8Array(features.length / 4);
  for (let at = 0; at < features.length; at++) { // neighbouring cells of a channel together: they compress best
    const value = features[placeOf(at)];
    const step = scale[placeOf(at) % CHANNELS];
    const code = step > 0 ? Math.min(LARGEST_CODE, Math.round(value / step)) : 0;
    codes[at >> 2] |= code << 2 * (at & 3);
  }
  const tensors: [string, StoredTensor][] = [
    ["codes", { shape: [labels.length, codes.length / labels.length], data: codes }],
    ["labels", { shape: [labels.length], data: labels }],
    ["scale", { shape: [CHANNELS], data: scale }],
  ];
  return formatSafetensors(tensors, { classNames: JSON.stringify(classNames), data, fingerprint });
}

/** Parses what {@linkcode formatKnownFeatures} wrote. @throws {InputError} If it is damaged. */
export function parseKnownFeatures(bytes: Uint8Array, label: string): KnownFeatures {
  const { tensors, metadata: { classNames, data, fingerprint } } = parseSafetensors(bytes, label);
  const [codes, labels, scale] = ["codes", "labels", "scale"].map((name) => tensors.get(name)!.data);
  const features = new Float32Array(4 * codes.length);
  for (let at = 0; at < features.length; at++) {
    const place = placeOf(at);
    features[place] = Number(scale[place % CHANNELS]) *
      (Number(codes[at >> 2]) >> 2 * (at & 3) & LARGEST_CODE);
  }
  return { features, labels: labels as Uint8Array, classNames: JSON.parse(classNames), data, fingerprint };
}

/** Position in maps `[N,64 cells,64 channels]` of the value at a position of maps `[N,64 channels,64 cells]`. */
function placeOf(at: number): number {
  const [image, channel, cell] = [
    Math.floor(at / (CELLS * CHANNELS)),
    Math.floor(at / CELLS) % CHANNELS,
    at % CELLS,
  ];
  return (image * CELLS + cell) * CHANNELS + channel;
}
