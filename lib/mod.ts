/**
 * Dynamic convolutional filters for CIFAR-10, as a library.
 *
 * The network convolves an image's feature map with ten 1×1 filters, one per class, each generated from a
 * learned embedding of its class; a filter's output is its class's response map. The library has the network
 * as a pure function, data, training, checkpoints, prediction, export, figures ({@linkcode figures}), and
 * TensorFlow's native runtime ({@linkcode useNativeTensorFlow}, {@linkcode tf}, {@linkcode compile}).
 *
 * @example Train a network for one epoch on synthetic images, and classify one
 * ```ts
 * import { CLASS_NAMES, classify, createSynthetic, IMAGE_BYTES } from "./mod.ts";
 * import { openCheckpoint, resolveConfig, train } from "./mod.ts";
 *
 * const runsFolder = await Deno.makeTempDir();
 * const datasets = createSynthetic({ trainSize: 256, testSize: 64 });
 * const flags = { run: "first", epochs: 1, batchSize: 64, data: "synthetic", weights: "random" } as const;
 * await train(resolveConfig({ flags }), { datasets, runsFolder });
 *
 * const { config, loadNetwork } = await openCheckpoint(`${runsFolder}/first/best.safetensors`);
 * const image = datasets.test.images.subarray(0, IMAGE_BYTES);
 * const [{ predictedClass, probabilities }] = await classify(loadNetwork(), [image], config);
 * console.log(CLASS_NAMES[predictedClass], probabilities[predictedClass]);
 * await Deno.remove(runsFolder, { recursive: true });
 * ```
 *
 * @example The network is a function of tensors
 * ```ts
 * import { createNetwork, forward, tf, useNativeTensorFlow } from "./mod.ts";
 *
 * await useNativeTensorFlow();
 * const spec = { variant: "dynamic", backbone: "trainable", adapter: "none" } as const;
 * const tensors = createNetwork(spec, { seed: 1 });
 * const { scores, maps } = forward(tensors, tf.zeros([2, 32, 32, 3]), { ...spec, mode: "evaluate" });
 * console.log(scores.shape, maps.shape); // [2, 10] [2, 10, 8, 8]
 * ```
 *
 * @example Draw response maps
 * ```ts
 * import { CLASS_NAMES, figures } from "./mod.ts";
 *
 * const image = new Uint8Array(32 * 32 * 3);
 * const example = { image, maps: new Float32Array(10 * 8 * 8), scores: new Float32Array(10) };
 * const { svg } = figures.responseMaps([example], { classNames: CLASS_NAMES });
 * console.log(svg.startsWith("<svg"));
 * ```
 *
 * @module
 */
export * from "./tensorflow/mod.ts";
export * as figures from "./figures/mod.ts";

export type { DownloadCallback, LoadOptions, NetworkOptions } from "./support/download/request.ts";
export { InputError, type NextStep, type Problem } from "./support/errors.ts";
export { createRandom, type Random } from "./support/random.ts";
export { argMax, softmax, wilsonInterval } from "./support/statistics.ts";
export {
  parseSafetensors,
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorData,
  writeSafetensors,
} from "./support/safetensors.ts";

export type { AugmentationOptions } from "./data/augmentation.ts";
export { type Batch, batches, type BatchOptions } from "./data/batches.ts";
export type { FileCheck } from "./data/cifar10.ts";
export {
  CLASS_NAMES,
  type Dataset,
  type Datasets,
  IMAGE_BYTES,
  IMAGE_SIZE,
  selectImages,
} from "./data/dataset.ts";
export {
  type DataSource,
  loadDatasets,
  type LoadDatasetsOptions,
  type LoadedDatasets,
} from "./data/load_datasets.ts";
export { IMAGE_DEVIATION, IMAGE_MEAN, MEAN_COLOUR, normaliseImages } from "./data/normalise.ts";
export { type HeldOut, holdOut, takeSubset } from "./data/splits.ts";
export { createSynthetic, SYNTHETIC_NAME, type SyntheticOptions } from "./data/synthetic.ts";

export { createNetwork, type CreateNetworkOptions } from "./model/create_network.ts";
export { generateFilters, normaliseRows } from "./model/filters.ts";
export type { StridedLayers } from "./tensorflow/operations/strided.ts";
export type { ForwardContext } from "./model/layers.ts";
export {
  createForwardContext,
  featureMap,
  forward,
  type ForwardOptions,
  type Outputs,
} from "./model/network.ts";
export { loadPretrained, type LoadPretrainedOptions, type Pretrained } from "./model/pretrained.ts";
export type {
  AdapterKind,
  BackboneMode,
  Execution,
  NetworkSizes,
  NetworkSpec,
  Variant,
} from "./model/spec.ts";
export {
  disposeAll,
  fromPyTorch,
  isStatistic,
  isTrainable,
  type StateDict,
  toPyTorch,
} from "./model/state_dict.ts";
export { type LayerSummary, type NetworkSummary, summarise } from "./model/summary.ts";
export { listTensors, type Start, type TensorDescription } from "./model/tensor_list.ts";

export type { BatchSource, SourceOptions } from "./training/batch_source.ts";
export {
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTensors,
  openCheckpoint,
  saveCheckpoint,
  type StoredTensors,
} from "./training/checkpoint.ts";
export {
  type Confidence,
  confidences,
  fitCalibration,
  fitTemperature,
  SURE_SHARE,
} from "./training/calibration.ts";
export {
  type BestEpoch,
  type Calibration,
  calibrationOf,
  type Environment,
  type EpochRecord,
  type EpochSums,
  type Progress,
} from "./training/progress.ts";
export {
  type ConfigFile,
  type ConfigSources,
  type OptimizerName,
  type RecipeName,
  resolveConfig,
  type ScheduleName,
  type TrainConfig,
} from "./training/config.ts";
export { readConfigFile } from "./training/config_file.ts";
export {
  createEvaluator,
  evaluate,
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
  measure,
  type Metrics,
  type Scored,
} from "./training/evaluate.ts";
export type { TestStep, TrainObserver, TrainStart, TrainStep } from "./training/observer.ts";
export { findCheckpoint } from "./training/run_folder.ts";
export { learningRateAt, type ScheduleOptions } from "./training/schedule.ts";
export { train, type TrainOptions, type TrainResult } from "./training/train.ts";

export {
  classify,
  combineViews,
  type Fit,
  type Prediction,
  type ViewPrediction,
} from "./prediction/classify.ts";
export {
  type PictureFormat,
  type PictureView,
  type PreparedPicture,
  preparePicture,
  type PreparePictureOptions,
  type View,
  VIEWS,
} from "./prediction/prepare_picture.ts";
export { type ExportFormat, exportNetwork } from "./export/export_network.ts";
export { type FileToWrite, writeFiles } from "./support/write_files.ts";
