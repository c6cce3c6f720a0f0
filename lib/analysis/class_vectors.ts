import { classEmbeddings, generateFilters, makeFilters, normaliseRows } from "../model/filters.ts";
import { createForwardContext } from "../model/network.ts";
import { isGenerated, type NetworkSpec } from "../model/spec.ts";
import type { StateDict } from "../model/state_dict.ts";
import { createRandom } from "../support/random.ts";
import * as tf from "../tensorflow/runtime/tf.ts";
import { pearsonCorrelation, rank } from "../support/statistics.ts";

/** Threshold of a saturated tanh output, in absolute value: its slope is 0.19 at most. */
const SATURATED = 0.9;

/**
 * Reads a network's normalised filters and its embeddings, one row per class, and the fraction of the
 * generator's outputs beyond ±{@linkcode SATURATED}; null where it has none.
 */
export async function readClassVectors(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
) {
  const context = createForwardContext(tensors, { variant, backbone, adapter, mode: "evaluate" });
  const filters = tf.tidy(() => makeFilters(context, variant));
  const embeddings = isGenerated(variant) ? tf.tidy(() => tf.clone(classEmbeddings(context))) : null;
  const written = embeddings && tf.tidy(() => generateFilters(context, embeddings));
  try {
    const outputs = await written?.data();
    return {
      filters: await filters.array(),
      embeddings: await embeddings?.array() ?? null,
      saturated: outputs === undefined
        ? null
        : outputs.filter((value) => Math.abs(value) > SATURATED).length / outputs.length,
    };
  } finally {
    tf.dispose([filters, embeddings, written].filter((tensor) => tensor !== null));
  }
}

/**
 * Measures how linear the generator is between classes: for every pair, the cosine of the filter generated
 * half way between two embeddings with the sum of the two classes' filters. It is 1 where the generator has
 * nothing that a mixture of stored filters has not.
 *
 * @throws {RangeError} If the filters are not generated.
 */
export async function measureLinearity(
  tensors: StateDict,
  { variant, backbone, adapter }: NetworkSpec,
): Promise<number[]> {
  if (!isGenerated(variant)) throw new RangeError(`The filters of ${variant} are not generated.`);
  const context = createForwardContext(tensors, { variant, backbone, adapter, mode: "evaluate" });
  const cosines = tf.tidy(() => {
    const embeddings = classEmbeddings(context); // [K,128]
    const own = normaliseRows(generateFilters(context, embeddings)); // [K,64]
    const pairs = upperPairs(embeddings.shape[0]);
    const sums = (rows: tf.Tensor2D) => {
      const [one, other] = [0, 1].map((end) =>
        tf.gather(rows, tf.tensor1d(pairs.map((pair) => pair[end]), "int32"))
      );
      return tf.add(one, other) as tf.Tensor2D;
    };
    const between = normaliseRows(generateFilters(context, tf.div(sums(embeddings), 2))); // [pairs,64]
    return tf.sum(tf.mul(between, normaliseRows(sums(own))), 1); // [pairs]
  });
  try {
    return [...await cosines.data()];
  } finally {
    cosines.dispose();
  }
}

/** Computes the cosine of the angle between every two rows, `[K,D]` → `[K,K]`; 0 for a row of zeros. */
export function cosineSimilarity(rows: readonly (readonly number[])[]): number[][] {
  const lengths = rows.map((row) => Math.hypot(...row));
  return rows.map((one, i) =>
    rows.map((other, j) => {
      if (lengths[i] === 0 || lengths[j] === 0) return 0;
      if (i === j) return 1;
      return one.reduce((sum, value, index) => sum + value * other[index], 0) / (lengths[i] * lengths[j]);
    })
  );
}

/** Sorts the pairs of classes of a symmetric matrix `[K,K]`, greatest value first. */
export function rankPairs(matrix: readonly (readonly number[])[]) {
  return upperPairs(matrix.length)
    .map(([one, other]) => ({ one, other, value: (matrix[one][other] + matrix[other][one]) / 2 }))
    .sort((a, b) => b.value - a.value);
}

const PERMUTATIONS = 2000;
const MANTEL = 0x6d616e74; // domain constant: an independent random stream for the same seed

/**
 * Computes Spearman's rank correlation of two symmetric matrices `[K,K]` over the pairs of classes, and its
 * p-value by the permutation test of Mantel (1967), whose pairs need not be independent.
 */
export function compareMatrices(
  one: readonly (readonly number[])[],
  other: readonly (readonly number[])[],
  { seed }: { seed: number },
) {
  const classes = one.length;
  const pairs = upperPairs(classes);
  const ranks = rank(pairs.map(([i, j]) => one[i][j] + one[j][i]));
  const otherRanks = rank(pairs.map(([i, j]) => other[i][j] + other[j][i]));
  const byPair = new Map(pairs.map(([i, j], at) => [i * classes + j, otherRanks[at]]));
  const correlateBy = (order: ArrayLike<number>) =>
    pearsonCorrelation(
      ranks,
      pairs.map(([i, j]) => {
        const [a, b] = [order[i], order[j]];
        return byPair.get(Math.min(a, b) * classes + Math.max(a, b))!;
      }),
    );
  const order = Uint32Array.from({ length: classes }, (_, label) => label);
  const found = correlateBy(order);
  const random = createRandom(MANTEL, seed);
  let asGood = 0;
  for (let turn = 0; turn < PERMUTATIONS; turn++) {
    random.shuffle(order);
    if (Math.abs(correlateBy(order)) >= Math.abs(found) - 1e-12) asGood++;
  }
  return { correlation: found, chance: (asGood + 1) / (PERMUTATIONS + 1), pairs: pairs.length };
}

function upperPairs(classes: number): [number, number][] {
  return Array.from({ length: classes }, (_, i) => i)
    .flatMap((i) => Array.from({ length: classes - i - 1 }, (_, j): [number, number] => [i, i + j + 1]));
}
