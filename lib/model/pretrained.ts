// interim: the data helper replaces this file; the lead's train.ts relies on this signature
import { readSafetensors } from "../safetensors.ts";

/** Options of {@linkcode loadPretrained}. */
export interface LoadPretrainedOptions {
  weights?: string | null;
  log?: (text: string) => void;
}

/** Pretrained tensors by torchvision's names, or null for a random start; and the name every output gives them. */
export interface Pretrained {
  tensors: ReadonlyMap<string, { shape: number[]; data: Float32Array }> | null;
  name: string;
}

export async function loadPretrained({ weights }: LoadPretrainedOptions = {}): Promise<Pretrained> {
  const path = weights ?? Deno.env.get("RESNET18_WEIGHTS") ?? "random";
  if (path === "random") return { tensors: null, name: "random" };
  const { tensors } = await readSafetensors(path);
  return { tensors: tensors as ReadonlyMap<string, { shape: number[]; data: Float32Array }>, name: "ResNet-18 layer1 (file)" };
}
