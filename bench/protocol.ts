/**
 * What the bench asks of the processes it compares: a JSON command a line, a JSON answer a line. `serve.ts` and `pytorch/peer.py` answer.
 *
 * @module
 */
import type { NetworkSpec } from "../lib/model/spec.ts";

/** What both understand. */
export type Command =
  | { command: "describe" }
  | { command: "load"; state: string; data: string | null; images: number }
  | ({ command: "step"; count: number } & Learning)
  | ({ command: "epoch"; images: number } & Learning)
  | { command: "evaluate"; form: string; batchSize: number; count: number }
  | { command: "test"; form: string; batchSize: number }
  | { command: "gradients"; form: string; batch: string; out: string }
  | { command: "release" };

/** What only ours do. */
export type OwnCommand =
  | { command: "prepare"; folder: string; data: string | null; weights: string | null }
  | { command: "batches"; batchSize: number; images: number }
  | { command: "javascript"; form: string; batchSize: number; count: number }
  | { command: "profile"; batchSize: number; count: number };

/** Which network learns, in which form. */
export interface Learning extends Partial<Pick<NetworkSpec, "backbone" | "adapter">> {
  form: string;
  batchSize: number;
}

/** The answer to what was timed. */
export interface Timed {
  /** `step`, `evaluate`: of one; `epoch`, `test`, `batches`: of all. */
  milliseconds: number;
  /** How many images `epoch`, `test` and `batches` went through. */
  images?: number;
  /** Mean loss, where there is one. */
  loss?: number;
  /** Share of right answers, of `test`. */
  accuracy?: number;
}

/** The answer to `prepare`: what was written, and what it is called. */
export interface Prepared {
  /** A safetensors file: the network everyone starts from. */
  state: string;
  /** Safetensors files, a batch each to compare gradients on: `images` [B,32,32,3] and `labels` [B]. */
  batches: string[];
  /** The folder of the images, or null: they are drawn. */
  data: string | null;
  dataName: string;
  weightsName: string;
  /** Training images there are. */
  images: number;
}

/** What ours run on. */
export interface OwnDescription {
  device: "cpu" | "gpu";
  tensorflow: string;
  tfjs: string;
  deno: string;
  threads: number;
}

/** What PyTorch runs on. */
export interface PeerDescription {
  torch: string;
  python: string;
  /** `cpu`, or the GPU's name. */
  device: string;
  threads: number;
  allocator: string;
  /** The instructions PyTorch's own kernels use. */
  capability: string;
}
