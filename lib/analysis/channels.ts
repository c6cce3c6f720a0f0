/** What the channels of a feature map do. */
export interface ChannelActivity {
  channels: number;
  /** Channels that say next to nothing: above zero at less than {@linkcode DEAD_SHARE} of all places, or the same everywhere. */
  dead: number;
  /** Share of all values that are above zero (behind a ReLU the others are zero). */
  active: number;
  /** Mean over channels of the standard deviation over images and places. */
  deviation: number;
  /** How many channels the variance is spread over in effect: (Σλ)² / Σλ² for the eigenvalues λ of the channels' correlation matrix. */
  dimensions: number;
}

/** A channel counts as dead if it is active at fewer places than this share, or varies by less than this share of the typical. */
export const DEAD_SHARE = 0.001;

/**
 * Describes the channels of feature maps.
 *
 * @param values Feature maps with the channels last, `[…,channels]`, behind a ReLU.
 */
export function describeChannels(values: ArrayLike<number>, channels: number): ChannelActivity {
  const places = values.length / channels;
  const [active, mean] = [new Float64Array(channels), new Float64Array(channels)];
  for (let at = 0; at < values.length; at++) {
    if (values[at] > 0) active[at % channels]++;
    mean[at % channels] += values[at] / places;
  }
  const covariance = new Float64Array(channels * channels);
  const centred = new Float64Array(channels);
  for (let place = 0; place < places; place++) {
    for (let channel = 0; channel < channels; channel++) {
      centred[channel] = values[place * channels + channel] - mean[channel];
    }
    for (let row = 0; row < channels; row++) {
      for (let column = 0; column < channels; column++) {
        covariance[row * channels + column] += centred[row] * centred[column] / places;
      }
    }
  }
  const deviations = Array.from(
    { length: channels },
    (_, channel) => Math.sqrt(covariance[channel * (channels + 1)]),
  );
  const flat = DEAD_SHARE * deviations.toSorted((one, other) => one - other)[Math.floor(channels / 2)];
  return {
    channels,
    dead: deviations.filter((deviation, channel) => active[channel] / places < DEAD_SHARE || deviation < flat)
      .length,
    active: active.reduce((sum, count) => sum + count, 0) / values.length,
    deviation: deviations.reduce((sum, value) => sum + value, 0) / channels,
    dimensions: countDimensions(covariance, deviations),
  };
}

/** trace(R)² / trace(R²) of the correlation matrix R; channels that never vary are left out. */
function countDimensions(covariance: Float64Array, deviations: readonly number[]): number {
  const channels = deviations.length;
  const live = deviations.flatMap((deviation, channel) => deviation > 0 ? [channel] : []);
  let squares = 0;
  for (const row of live) {
    for (const column of live) {
      squares += (covariance[row * channels + column] / (deviations[row] * deviations[column])) ** 2;
    }
  }
  return squares === 0 ? 0 : live.length ** 2 / squares;
}
