/**
 * What the notebooks measure of trained networks: what response maps are good for, what a frozen backbone lacks, how filters relate.
 *
 * @module
 */
export * from "./batch_statistics.ts";
export * from "./blend.ts";
export * from "./cell_orders.ts";
export * from "./channels.ts";
export * from "./choose_examples.ts";
export * from "./class_vectors.ts";
export * from "./deletion.ts";
export * from "./drift.ts";
export * from "./evidence.ts";
export * from "./feature_similarity.ts";
export * from "./features.ts";
export * from "./influence.ts";
export * from "./leads.ts";
export * from "./linear_probe.ts";
export * from "./mosaic.ts";
export * from "./occlusion.ts";
export * from "./pointing.ts";
export * from "./receptive_field.ts";
export * from "./scorer.ts";
export * from "./separation.ts";
