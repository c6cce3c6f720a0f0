import * as tf from "../../../../lib/tensorflow/runtime/tf.ts";
import { createRandom } from "../../../../lib/support/random.ts";

/** What an operation gives. */
export type Output = tf.Tensor | Output[] | { [name: string]: Output };

/** A row of a table: an operation, and tensors to give it. */
export interface Operation {
  name: string;
  run: (...inputs: tf.Tensor[]) => Output;
  inputs: (samples: Samples) => tf.Tensor[];
}

/** Rows of operations that take the same inputs. */
export function rows<T extends tf.Tensor[]>(
  inputs: (samples: Samples) => [...T],
  operations: Record<string, (...inputs: T) => Output>,
): Operation[] {
  return Object.entries(operations).map(([name, run]) => ({ name, run: run as Operation["run"], inputs }));
}

/** Draws tensors to try operations with: other ones for another seed. */
export class Samples {
  readonly #random;
  constructor(seed: number) {
    this.#random = createRandom(seed);
  }
  /** Of both signs, about 1. */
  signed<R extends tf.Rank>(...shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return this.#draw(shape, () => this.#random.normal());
  }
  /** Within 0.1 and 0.9. */
  unit<R extends tf.Rank>(...shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return this.#draw(shape, () => 0.1 + 0.8 * this.#random.next());
  }
  /** Whole numbers from 0, below `limit`. */
  whole<R extends tf.Rank>(limit: number, ...shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return this.#draw(shape, () => this.#random.integer(limit), "int32");
  }
  /** Flags. */
  flags<R extends tf.Rank>(...shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return this.#draw(shape, () => this.#random.integer(2), "bool");
  }
  #draw<R extends tf.Rank>(
    shape: tf.ShapeMap[R],
    next: () => number,
    dtype: tf.DataType = "float32",
  ): tf.Tensor<R> {
    const size = (shape as number[]).reduce((product, side) => product * side, 1);
    return tf.tensor<R>(Array.from({ length: size }, next), shape, dtype);
  }
}
