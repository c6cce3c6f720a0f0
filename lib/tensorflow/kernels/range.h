#pragma once

/** Indices from `first` up to, not including, `end`. */
struct Range {
  long first, end;
};

/** Splits `count` rows into `parts` ranges by their number alone: sums have the same order in each call. */
constexpr Range rangeOf(long count, long part, long parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/** Channels come in multiples of this: whole vectors on each processor. */
constexpr long CHANNELS = 16;
