/**
 * How alike two networks' features of the same images are, 0–1: linear centred kernel alignment. It does not change when features are
 * turned, mirrored or scaled as a whole, since a linear layer behind them would not mind.
 *
 * Source: Kornblith, Norouzi, Lee & Hinton, Similarity of Neural Network Representations Revisited (ICML 2019), section 3.
 *
 * @param one `[N,length]`, row by row.
 * @param other `[N,otherLength]` of the same N images.
 *
 * @example
 * ```ts
 * import { featureSimilarity } from "./feature_similarity.ts";
 * console.log(featureSimilarity([1, 0, 0, 1, 2, 2], [0, 1, -1, 0, -2, 2], 3)); // turned by 90°: 1
 * ```
 */
export function featureSimilarity(one: ArrayLike<number>, other: ArrayLike<number>, images: number): number {
  const [x, y] = [centre(one, images), centre(other, images)];
  return squaredNorm(x, y) / Math.sqrt(squaredNorm(x, x) * squaredNorm(y, y));
}

interface Centred {
  values: Float64Array;
  length: number;
  images: number;
}

function centre(values: ArrayLike<number>, images: number): Centred {
  const length = values.length / images;
  const centred = Float64Array.from(values);
  for (let column = 0; column < length; column++) {
    let mean = 0;
    for (let image = 0; image < images; image++) mean += centred[image * length + column] / images;
    for (let image = 0; image < images; image++) centred[image * length + column] -= mean;
  }
  return { values: centred, length, images };
}

/** ‖xᵀy‖² (Frobenius). */
function squaredNorm(x: Centred, y: Centred): number {
  const product = new Float64Array(x.length * y.length);
  for (let image = 0; image < x.images; image++) {
    for (let row = 0; row < x.length; row++) {
      const value = x.values[image * x.length + row];
      if (value === 0) continue;
      for (let column = 0; column < y.length; column++) {
        product[row * y.length + column] += value * y.values[image * y.length + column];
      }
    }
  }
  return product.reduce((sum, value) => sum + value * value, 0);
}
