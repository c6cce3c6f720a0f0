// Building blocks of minimal filtering: products of matrices, and transforms along both axes of a tile.
#pragma once

#include "vector.h"

namespace {

#if defined(__AVX512F__)
constexpr int COLUMNS = 4;  // sums of 6 rows × 4 vectors take 24 of 32 registers
#else
constexpr int COLUMNS = 2;  // 6 × 2 of 16
#endif
constexpr int ROWS = 6;

/** A matrix in memory: its element (row, step) is data[row · toRow + step · toStep]. */
struct Matrix {
  const float* data;
  long toRow, toStep;
};

/** Computes R rows and N vectors of columns of c = a · b, or c += a · b; the sums stay in registers. */
template <int R, int N>
void multiplyBlock(Matrix a, const float* b, float* c, long columns, long depth, bool add) {
  Vector sums[R][N];
  UNROLL for (int r = 0; r < R; r++) {
    UNROLL for (int n = 0; n < N; n++) sums[r][n] = add ? load(c + r * columns + n * LANES) : Vector{};
  }
  for (long step = 0; step < depth; step++) {
    Vector row[N];
    UNROLL for (int n = 0; n < N; n++) row[n] = load(b + step * columns + n * LANES);
    UNROLL for (int r = 0; r < R; r++) {
      const float value = a.data[r * a.toRow + step * a.toStep];
      UNROLL for (int n = 0; n < N; n++) sums[r][n] += value * row[n];
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    UNROLL for (int n = 0; n < N; n++) store(c + r * columns + n * LANES, sums[r][n]);
  }
}

/** The same for any number of rows: by blocks of R, then smaller ones. */
template <int R, int N>
void multiplyRows(Matrix a, const float* b, float* c, long rows, long columns, long depth, bool add) {
  for (; rows >= R; rows -= R) {
    multiplyBlock<R, N>(a, b, c, columns, depth, add);
    a.data += R * a.toRow;
    c += R * columns;
  }
  if constexpr (R > 1) {
    if (rows > 0) multiplyRows<R - 1, N>(a, b, c, rows, columns, depth, add);
  }
}

/** c[rows, columns] = a · b[depth, columns], or c += a · b. */
void multiply(Matrix a, const float* b, float* c, long rows, long columns, long depth, bool add) {
  long n = 0;
  for (; n + COLUMNS * LANES <= columns; n += COLUMNS * LANES) {
    multiplyRows<ROWS, COLUMNS>(a, b + n, c + n, rows, columns, depth, add);
  }
  for (; n < columns; n += LANES) multiplyRows<ROWS, 1>(a, b + n, c + n, rows, columns, depth, add);
}

/** Transforms N×N values from read(i, j) to M×M for write(i, j, value): columns first, then rows. */
template <int N, int M, void (*transform)(const Vector*, Vector*), typename Read, typename Write>
INLINE void transformBoth(const Read& read, const Write& write) {
  Vector half[M][N];
  UNROLL for (int j = 0; j < N; j++) {
    Vector column[N], transformed[M];
    UNROLL for (int i = 0; i < N; i++) column[i] = read(i, j);
    transform(column, transformed);
    UNROLL for (int i = 0; i < M; i++) half[i][j] = transformed[i];
  }
  UNROLL for (int i = 0; i < M; i++) {
    Vector transformed[M];
    transform(half[i], transformed);
    UNROLL for (int j = 0; j < M; j++) write(i, j, transformed[j]);
  }
}

#define EACH [&](int i, int j) __attribute__((always_inline))
#define EACH_VALUE [&](int i, int j, Vector value) __attribute__((always_inline))

}  // namespace
