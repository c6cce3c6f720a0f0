import { InputError } from "../support/errors.ts";
import { NAME_VECTOR_LENGTH } from "./spec.ts";
import table from "./name_vectors.json" with { type: "json" };

const VECTORS: Readonly<Record<string, string>> = { ...table.classes, ...table.others };

/** Words that name no class of CIFAR-10, as a control: CIFAR-100's first twenty by the alphabet. */
export const OTHER_WORDS: readonly string[] = Object.keys(table.others);

/**
 * Decodes fixed vectors of names, made by a sentence model (see `requirements/name_vectors.py`).
 *
 * @param names By default those of CIFAR-10's classes.
 * @returns `[K,384]`, each of length √384: as long as a learned embedding of that size would start.
 * @throws {InputError} If there is no vector of a name.
 */
export function nameVectors(names: readonly string[] = Object.keys(table.classes)): Float32Array {
  const scale = Math.sqrt(NAME_VECTOR_LENGTH); // they have length 1
  const vectors = names.map((name) => {
    if (!Object.hasOwn(VECTORS, name)) {
      throw new InputError({
        what: `make a filter from the name ${name}`,
        why: "there is no vector of that name",
        setting: "variant",
        next: [{ set: { variant: "dynamic" } }],
      });
    }
    return Array.from(
      new Float16Array(Uint8Array.fromBase64(VECTORS[name]).buffer),
      (value) => scale * value,
    );
  });
  return Float32Array.from(vectors.flat());
}
