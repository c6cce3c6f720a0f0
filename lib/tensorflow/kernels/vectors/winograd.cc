// Winograd's minimal filtering F(4×4, 3×3): Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural
// Networks" (arXiv:1509.09308).
//
//     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
//
// with a tile's 6×6 inputs d, the kernel's 3×3 taps g and the 4×4 outputs Y: 36 products where direct
// convolution takes 144. Summed over the input channels, ⊙ is a product of matrices at each of the 36
// positions. G and A evaluate polynomials at the points 0, ±a, ±b and infinity; Bᵀ holds the polynomials that
// vanish at all of them but one (Toom and Cook). With a = √½ and b = √2, each other's reciprocals, rounding
// errors are hardly larger than direct convolution's.
#include "winograd.h"

#include "products.h"

namespace {

// ── transforms along one axis, channels side by side; `even` and `odd` are a polynomial's parts: p(±a) =
// even ± odd ──

constexpr float A = 0.70710678118654752f, B = 1.41421356237309505f;  // A² = 1/2, B² = 2, A · B = 1
constexpr float WEIGHT_A = -2.0f / 3, WEIGHT_B = 1.0f / 6;           // 1 / Π (point − another)

/** Bᵀ d. */
INLINE void transformInput(const Vector d[6], Vector t[6]) {
  t[0] = d[0] - 2.5f * d[2] + d[4];
  Vector even = d[4] - 2.0f * d[2], odd = A * d[3] - B * d[1];
  t[1] = even + odd, t[2] = even - odd;
  even = d[4] - 0.5f * d[2], odd = B * d[3] - A * d[1];
  t[3] = even + odd, t[4] = even - odd;
  t[5] = d[1] - 2.5f * d[3] + d[5];
}

/** G g. */
INLINE void transformTaps(const Vector g[3], Vector t[6]) {
  t[0] = g[0];
  Vector even = WEIGHT_A * g[0] + (0.5f * WEIGHT_A) * g[2], odd = (A * WEIGHT_A) * g[1];
  t[1] = even + odd, t[2] = even - odd;
  even = WEIGHT_B * g[0] + (2.0f * WEIGHT_B) * g[2], odd = (B * WEIGHT_B) * g[1];
  t[3] = even + odd, t[4] = even - odd;
  t[5] = g[2];
}

/** Aᵀ m. */
INLINE void transformProducts(const Vector m[6], Vector y[4]) {
  const Vector sumA = m[1] + m[2], sumB = m[3] + m[4], differenceA = m[1] - m[2], differenceB = m[3] - m[4];
  y[0] = m[0] + sumA + sumB;
  y[1] = A * differenceA + B * differenceB;
  y[2] = 0.5f * sumA + 2.0f * sumB;
  y[3] = (0.5f * A) * differenceA + (2.0f * B) * differenceB + m[5];
}

/** A dy, the adjoint of transformProducts. */
INLINE void transformGradient(const Vector dy[4], Vector t[6]) {
  t[0] = dy[0];
  Vector even = dy[0] + 0.5f * dy[2], odd = A * dy[1] + (0.5f * A) * dy[3];
  t[1] = even + odd, t[2] = even - odd;
  even = dy[0] + 2.0f * dy[2], odd = B * dy[1] + (2.0f * B) * dy[3];
  t[3] = even + odd, t[4] = even - odd;
  t[5] = dy[3];
}

/** Gᵀ t, the adjoint of transformTaps. */
INLINE void collectTaps(const Vector t[6], Vector g[3]) {
  const Vector sumA = t[1] + t[2], sumB = t[3] + t[4], differenceA = t[1] - t[2], differenceB = t[3] - t[4];
  g[0] = t[0] + WEIGHT_A * sumA + WEIGHT_B * sumB;
  g[1] = (A * WEIGHT_A) * differenceA + (B * WEIGHT_B) * differenceB;
  g[2] = (0.5f * WEIGHT_A) * sumA + (2.0f * WEIGHT_B) * sumB + t[5];
}

// ── kernels ──

void transformKernel(const float* kernel, float* u, long C, long K) {
  const long next = stride(C, K);
  for (long c = 0; c < C; c++) {
    for (long k = 0; k < K; k += LANES) {
      const long at = c * K + k;
      transformBoth<3, 6, transformTaps>(
          EACH { return load(kernel + (i * 3 + j) * C * K + at); },
          EACH_VALUE { store(u + (i * 6 + j) * next + at, value); });
    }
  }
}

void flipKernel(const float* kernel, float* flipped, long C, long K) {
  for (long tap = 0; tap < 9; tap++) {
    const float* from = kernel + (8 - tap) * C * K;
    for (long k = 0; k < K; k += CHANNELS, flipped += CHANNELS * C) {
      for (long c = 0; c < C; c++) {
        for (long n = 0; n < CHANNELS; n++) flipped[n * C + c] = from[c * K + k + n];
      }
    }
  }
}

void collectKernel(const float* du, long parts, float* dKernel, long C, long K) {
  const long next = stride(C, K);
  for (long c = 0; c < C; c++) {
    for (long k = 0; k < K; k += LANES) {
      const long at = c * K + k;
      transformBoth<6, 3, collectTaps>(
          EACH {
            const float* from = du + (i * 6 + j) * next + at;
            Vector sum = load(from);
            for (long part = 1; part < parts; part++) sum += load(from + part * POSITIONS * next);
            return sum;
          },
          EACH_VALUE { store(dKernel + (i * 3 + j) * C * K + at, value); });
    }
  }
}

// ── maps ──

/** Locates the N×N pixels of a tile from `before` pixels up and left of it: offsets in one channel, or −1. */
template <int N>
void locate(long tile, Maps maps, long before, long pixels[N][N]) {
  const long image = tile / (maps.down() * maps.across());
  const long top = tile / maps.across() % maps.down() * TILE - before,
             left = tile % maps.across() * TILE - before;
  for (long i = 0; i < N; i++) {
    for (long j = 0; j < N; j++) {
      const long row = top + i, column = left + j;
      const bool inside = row >= 0 && row < maps.H && column >= 0 && column < maps.W;
      pixels[i][j] = inside ? (image * maps.H + row) * maps.W + column : -1;
    }
  }
}

/** Transforms the tiles' N×N pixels, 6×6 of the input or 4×4 of the output: [36][tiles][channels]. */
template <int N, void (*transform)(const Vector*, Vector*)>
void gather(const float* from, float* to, Maps maps, long channels, Range tiles) {
  const long next = stride(tiles.end - tiles.first, channels);
  for (long tile = tiles.first; tile < tiles.end; tile++, to += channels) {
    long pixels[N][N];
    locate<N>(tile, maps, (N - TILE) / 2, pixels);
    for (long c = 0; c < channels; c += LANES) {
      transformBoth<N, 6, transform>(
          EACH { return load(pixels[i][j] < 0 ? nothing : from + pixels[i][j] * channels + c); },
          EACH_VALUE { store(to + (i * 6 + j) * next + c, value); });
    }
  }
}

/** Writes the tiles' 4×4 outputs from M[36][tiles][K]. */
void scatterOutputs(const float* m, float* y, Maps maps, long K, Range tiles, Epilogue epilogue) {
  const long next = stride(tiles.end - tiles.first, K);
  for (long tile = tiles.first; tile < tiles.end; tile++, m += K) {
    long pixels[4][4];
    locate<4>(tile, maps, 0, pixels);
    for (long k = 0; k < K; k += LANES) {
      const Vector bias = epilogue.bias ? load(epilogue.bias + k) : Vector{};
      transformBoth<6, 4, transformProducts>(
          EACH { return load(m + (i * 6 + j) * next + k); },
          EACH_VALUE {
            if (pixels[i][j] < 0) return;
            const long at = pixels[i][j] * K + k;
            value += bias;
            if (epilogue.shortcut) value += load(epilogue.shortcut + at);
            if (epilogue.relu) value = positive(value);
            store(y + at, value);
          });
    }
  }
}

INLINE Range blockFrom(long tile, Range tiles) {
  return {tile, tile + BLOCK < tiles.end ? tile + BLOCK : tiles.end};
}

void convolve(const float* x, const float* u, float* y, Maps maps, long C, long K, Range tiles,
              Epilogue epilogue, float* scratch) {
  float *v = scratch, *m = scratch + POSITIONS * stride(BLOCK, C);
  for (long tile = tiles.first; tile < tiles.end; tile += BLOCK) {
    const Range block = blockFrom(tile, tiles);
    const long rows = block.end - block.first;
    gather<6, transformInput>(x, v, maps, C, block);
    for (long position = 0; position < POSITIONS; position++) {
      const Matrix inputs = {v + position * stride(rows, C), C, 1};
      multiply(inputs, u + position * stride(C, K), m + position * stride(rows, K), rows, K, C, false);
    }
    scatterOutputs(m, y, maps, K, block, epilogue);
  }
}

void correlate(const float* x, const float* dy, float* du, Maps maps, long C, long K, Range tiles,
               float* scratch) {
  float *v = scratch, *dm = scratch + POSITIONS * stride(BLOCK, C);
  for (long tile = tiles.first; tile < tiles.end; tile += BLOCK) {
    const Range block = blockFrom(tile, tiles);
    const long rows = block.end - block.first;
    gather<6, transformInput>(x, v, maps, C, block);
    gather<4, transformGradient>(dy, dm, maps, K, block);
    for (long position = 0; position < POSITIONS; position++) {
      const Matrix transposed = {v + position * stride(rows, C), 1, C};
      const bool add = tile > tiles.first;
      multiply(transposed, dm + position * stride(rows, K), du + position * stride(C, K), C, K, rows, add);
    }
  }
}

}  // namespace

extern const Winograd FOR_PROCESSOR(winograd) = {transformKernel, flipKernel, collectKernel, convolve,
                                                 correlate};
