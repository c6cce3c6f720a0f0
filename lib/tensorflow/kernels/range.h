#pragma once

/** Indices from `first` up to, not including, `end`. */
struct Range {
  long first, end;
};

/** Share of one of `parts` threads, by their number alone: sums have the same order in each call. */
constexpr Range share(long count, long part, long parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/** Channels come in multiples of this: whole vectors on each processor. */
constexpr long CHANNELS = 16;
