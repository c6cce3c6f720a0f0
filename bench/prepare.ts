import { join } from "@std/path";
import { batches } from "../lib/data/batches.ts";
import { loadDatasets } from "../lib/data/load_datasets.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import { loadPretrained } from "../lib/model/pretrained.ts";
import type { NetworkSpec } from "../lib/model/spec.ts";
import { disposeAll, toPyTorch } from "../lib/model/state_dict.ts";
import { type StoredTensor, writeSafetensors } from "../lib/support/safetensors.ts";
import type { OwnCommand, Prepared } from "./protocol.ts";

/** Few images a batch: among many, one stands so near a ReLU's edge that rounding turns it over, in PyTorch too. */
const CHECKED_IMAGES = 16;
const CHECKED_BATCHES = 3;

/** Writes the network and the batches that all start from. */
export async function prepare(
  spec: NetworkSpec,
  { folder, data, weights }: Extract<OwnCommand, { command: "prepare" }>,
): Promise<Prepared> {
  const datasets = await loadDatasets({ data });
  const { tensors, name } = await loadPretrained({ weights });
  const network = createNetwork(spec, { pretrained: tensors });
  const state = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(network)) state.set(name, await toPyTorch(tensor));
  disposeAll(network);
  const files = { state: join(folder, "state.safetensors"), batches: [] as string[] };
  writeSafetensors(files.state, state, {});
  const order = { batchSize: CHECKED_IMAGES, shuffle: true, augment: true };
  for (const { values, shape, labels, size } of batches(datasets.train, order).take(CHECKED_BATCHES)) {
    const file = join(folder, `batch_${files.batches.length}.safetensors`);
    writeSafetensors(
      file,
      new Map([["images", { shape, data: values }], ["labels", { shape: [size], data: labels }]]),
      {},
    );
    files.batches.push(file);
  }
  return {
    ...files,
    data: datasets.source.path,
    dataName: datasets.train.name,
    weightsName: name,
    images: datasets.train.labels.length,
  };
}
