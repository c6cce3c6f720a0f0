import { InputError } from "../support/errors.ts";
import { type StoredTensor, typeOf } from "../support/safetensors.ts";
import { listTensors } from "./tensor_list.ts";

/** Names and shapes of the tensors up to `layer1`, by torchvision's names. */
function listWanted(): { name: string; shape: number[] }[] {
  const prefix = "backbone.";
  return listTensors({ variant: "dynamic", adapter: "none" })
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, shape }) => ({ name: name.slice(prefix.length), shape }));
}

/** Creates the error of tensors that cannot be used; the caller words whose they are. */
export const refuseTensors = (why: string) =>
  new InputError({ what: "use these tensors as pretrained weights", why });

/**
 * Finds the wanted tensors among those of a file, by their names, all of which may have the same prefix
 * (`module.`, `backbone.`), and shapes.
 *
 * @returns Each with its name in the file.
 * @throws {InputError} If one is missing or has another shape, or the file is of another network than
 * ResNet-18.
 */
export function findBackbone(
  tensors: ReadonlyMap<string, { shape: number[] }>,
): { name: string; shape: number[]; key: string }[] {
  const first = "layer1.0.conv1.weight";
  const prefixes = [...tensors.keys()].filter((key) => key === first || key.endsWith(`.${first}`))
    .map((key) => key.slice(0, -first.length));
  if (prefixes.length > 1) throw refuseTensors(`it holds several networks (${prefixes.join(", ")})`);
  const prefix = prefixes[0] ?? "";
  const wanted = listWanted();
  const known = new Set(wanted.map(({ name }) => name));
  for (const key of tensors.keys()) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const isUnknown = /^(conv1|bn1|layer1)\./.test(name) && !known.has(name) &&
      !name.endsWith(".num_batches_tracked");
    if (isUnknown || /^layer[1-4]\.([2-9]|\d\d)/.test(name)) {
      throw refuseTensors(`it is of another network: ResNet-18 has no ${name}`);
    }
  }
  return wanted.map(({ name, shape }) => {
    const key = prefix + name;
    const found = tensors.get(key)?.shape;
    if (!found) throw refuseTensors(`it has no tensor ${key}`);
    if (found.join() === shape.join()) return { name, shape, key };
    throw refuseTensors(`${key} has the shape [${found.join(", ")}], expected [${shape.join(", ")}]`);
  });
}

/** Selects the wanted tensors of a file and checks each value. */
export function selectBackbone(
  tensors: Map<string, StoredTensor>,
): Map<string, { shape: number[]; data: Float32Array }> {
  return new Map(
    findBackbone(tensors).map(({ name, shape, key }) => {
      const tensor = tensors.get(key)!;
      const { data } = tensor;
      if (!(data instanceof Float32Array)) {
        throw refuseTensors(`${key} is of type ${typeOf(tensor)}, expected F32, F16, BF16 or F64`);
      }
      const isVariance = name.endsWith("running_var");
      const odd = data.findIndex((value) => !Number.isFinite(value) || (isVariance && value < 0));
      if (odd >= 0) throw refuseTensors(`value ${odd} of ${key} is ${data[odd]}`);
      if ((isVariance || shape.length === 4) && data.every((value) => value === 0)) {
        throw refuseTensors(`all values of ${key} are 0`);
      }
      return [name, { shape, data }];
    }),
  );
}
