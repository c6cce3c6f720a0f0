#pragma once

/** Indices from `first` up to, not including, `end`. */
struct Range {
  long first, end;
};

/** Range of one of `parts` equal parts, which depends on their number only: sums have a fixed order. */
constexpr Range rangeOf(long count, long part, long parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/** From one matrix to the next in memory: not a power of two, since such addresses share cache lines. */
constexpr long stride(long rows, long columns) { return rows * columns + 16; }

/** Channels come in multiples of this: whole vectors on each processor. */
constexpr long CHANNELS = 16;
