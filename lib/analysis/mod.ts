/**
 * Measurements of trained networks: the faithfulness of response maps, the limits of a frozen backbone,
 * similarities of filters, classes learned afterwards.
 *
 * @module
 */
export * from "./attributions.ts";
export * from "./auroc.ts";
export * from "./batch_statistics.ts";
export * from "./calibration.ts";
export * from "./choose_examples.ts";
export * from "./class_vectors.ts";
export * from "./deletion.ts";
export * from "./drift.ts";
export * from "./evidence.ts";
export * from "./explain.ts";
export * from "./features.ts";
export * from "./imputation.ts";
export * from "./linear_probe.ts";
export * from "./new_class.ts";
export * from "./pointing.ts";
export * from "./randomise_layers.ts";
export * from "./receptive_field.ts";
export * from "./scorer.ts";
export * from "./teach.ts";
export { joinArrays } from "../support/arrays.ts";
