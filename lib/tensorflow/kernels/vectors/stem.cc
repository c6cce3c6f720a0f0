// Minimal filtering of a 7×7 convolution with stride 2. Its rows and columns are parted by even and odd, which
// makes it a 4×4 convolution with stride 1 of 4C channels, the four parts of 2×2 pixels side by side:
//
//     taps  0 1 2 3 4 5 6   of an output's seven pixels
//     even    0   1   2     tap u of the even pixels is tap 2u − 1 (none for u = 0)
//     odd   0   1   2   3   tap u of the odd ones is tap 2u
//
// F(4×4, 4×4) then takes 49 products where direct convolution takes 147 · 16 / 12 = 196 per channel of the
// parts. The points are 0, ±a, ±b and ±c; rounding errors are about three times those of F(4×4, 3×3), see
// winograd.cc for the method.
#include "stem.h"

#include "products.h"

namespace {

constexpr int TAPS = 4, OUTPUTS = 4, INPUTS = TAPS + OUTPUTS - 1;

// ── transforms along one axis ──

/** A pair of points ±p: p², and the polynomial x² − sum · x + product of the other pairs' squares. */
struct Pair {
  float p, square, sum, product, weight;
};

constexpr Pair pairOf(float p, float q, float r) {
  return {p, p * p, q * q + r * r, q * q * r * r,
          1 / (2 * p * p * (p * p - q * q) * (p * p - r * r))};  // weight: 1 / Π (point − another)
}

constexpr float A = 0.5f, B = 1.0f, C_ = 2.5f;
constexpr Pair PAIRS[] = {pairOf(A, B, C_), pairOf(B, A, C_), pairOf(C_, A, B)};
constexpr float ZERO_PRODUCT = A * A * B * B * C_ * C_;
constexpr float ZERO_SQUARES = A * A * B * B + A * A * C_ * C_ + B * B * C_ * C_;
constexpr float ZERO_SUM = A * A + B * B + C_ * C_;

/** Bᵀ d. */
INLINE void transformInput(const Vector d[7], Vector t[7]) {
  t[0] = d[6] - ZERO_SUM * d[4] + (ZERO_SQUARES * d[2] - ZERO_PRODUCT * d[0]);
  UNROLL for (int k = 0; k < 3; k++) {
    const Pair& pair = PAIRS[k];
    const Vector even = d[6] - pair.sum * d[4] + pair.product * d[2],
                 odd = pair.p * (d[5] - pair.sum * d[3] + pair.product * d[1]);
    t[1 + 2 * k] = even + odd, t[2 + 2 * k] = even - odd;
  }
}

/** G g. */
INLINE void transformTaps(const Vector g[4], Vector t[7]) {
  t[0] = g[0] * (-1 / ZERO_PRODUCT);
  UNROLL for (int k = 0; k < 3; k++) {
    const Pair& pair = PAIRS[k];
    const Vector even = pair.weight * (g[0] + pair.square * g[2]),
                 odd = (pair.weight * pair.p) * (g[1] + pair.square * g[3]);
    t[1 + 2 * k] = even + odd, t[2 + 2 * k] = even - odd;
  }
}

/** Aᵀ m. */
INLINE void transformProducts(const Vector m[7], Vector y[4]) {
  y[0] = m[0], y[1] = Vector{}, y[2] = Vector{}, y[3] = Vector{};
  UNROLL for (int k = 0; k < 3; k++) {
    const Pair& pair = PAIRS[k];
    const Vector sum = m[1 + 2 * k] + m[2 + 2 * k], difference = m[1 + 2 * k] - m[2 + 2 * k];
    y[0] += sum, y[1] += pair.p * difference;
    y[2] += pair.square * sum, y[3] += (pair.p * pair.square) * difference;
  }
}

/** A dy, the adjoint of transformProducts. */
INLINE void transformGradient(const Vector dy[4], Vector t[7]) {
  t[0] = dy[0];
  UNROLL for (int k = 0; k < 3; k++) {
    const Pair& pair = PAIRS[k];
    const Vector even = dy[0] + pair.square * dy[2], odd = pair.p * (dy[1] + pair.square * dy[3]);
    t[1 + 2 * k] = even + odd, t[2 + 2 * k] = even - odd;
  }
}

/** Gᵀ t, the adjoint of transformTaps. */
INLINE void collectTaps(const Vector t[7], Vector g[4]) {
  g[0] = t[0] * (-1 / ZERO_PRODUCT), g[1] = Vector{}, g[2] = Vector{}, g[3] = Vector{};
  UNROLL for (int k = 0; k < 3; k++) {
    const Pair& pair = PAIRS[k];
    const Vector sum = pair.weight * (t[1 + 2 * k] + t[2 + 2 * k]),
                 difference = (pair.weight * pair.p) * (t[1 + 2 * k] - t[2 + 2 * k]);
    g[0] += sum, g[1] += difference;
    g[2] += pair.square * sum, g[3] += pair.square * difference;
  }
}

// ── kernels ──

/** Locates a tap of the parts in the kernel, or returns −1: `u` and `v` are 0–3, `part` row by row 0–3. */
INLINE long tapOf(long u, long v, long part) {
  const long i = 2 * u + part / 2 - 1, j = 2 * v + part % 2 - 1;
  return i < 0 || j < 0 ? -1 : i * 7 + j;
}

void transformKernel(const float* kernel, float* u, long C, long K) {
  for (long row = 0; row < 4 * C; row++) {
    for (long k = 0; k < K; k += LANES) {
      float* to = u + row * K + k;
      transformBoth<TAPS, INPUTS, transformTaps>(
          EACH {
            const long tap = tapOf(i, j, row / C);
            return load(tap < 0 ? nothing : kernel + (tap * C + row % C) * K + k);
          },
          EACH_VALUE { store(to + (i * INPUTS + j) * 4 * C * K, value); });
    }
  }
}

void collectKernel(const float* du, long parts, float* dKernel, long C, long K) {
  const long size = stemKernelSize(C, K);
  for (long row = 0; row < 4 * C; row++) {
    for (long k = 0; k < K; k += LANES) {
      transformBoth<INPUTS, TAPS, collectTaps>(
          EACH {
            const float* from = du + (i * INPUTS + j) * 4 * C * K + row * K + k;
            Vector sum = load(from);
            for (long part = 1; part < parts; part++) sum += load(from + part * size);
            return sum;
          },
          EACH_VALUE {
            const long tap = tapOf(i, j, row / C);
            if (tap >= 0) store(dKernel + (tap * C + row % C) * K + k, value);
          });
    }
  }
}

// ── images ──

/** Row length and height of an image's parts, with the padding that the tiles need. */
INLINE long partsW(StemSize size) { return OUTPUTS * size.across() + TAPS - 1; }
INLINE long partsH(StemSize size) { return OUTPUTS * size.down() + TAPS - 1; }

/** Parts an image by even and odd pixels: [partsH, partsW, 16], in zeros. */
void partImage(const float* image, float* parts, StemSize size) {
  const long width = partsW(size), C = size.C;
  const long count = partsH(size) * width * STEM_PART;
  for (long at = 0; at < count; at += LANES) store(parts + at, Vector{});
  for (long row = 0; row < size.H; row++) {
    const float* from = image + row * size.W * C;
    float* to = parts + ((row / 2 + 2) * width + 2) * STEM_PART + row % 2 * 2 * C;
    for (long column = 0; column + 1 < size.W; column += 2, from += 2 * C, to += STEM_PART) {
      for (long c = 0; c < 2 * C; c++) to[c] = from[c];
    }
    if (size.W % 2 != 0) {
      for (long c = 0; c < C; c++) to[c] = from[c];
    }
  }
}

/** Transforms tiles of an image's parts: V[49][tiles][16]. */
void gatherInputs(const float* parts, float* v, StemSize size, Range tiles) {
  const long width = partsW(size), next = stride(tiles.end - tiles.first, STEM_PART);
  for (long tile = tiles.first; tile < tiles.end; tile++, v += STEM_PART) {
    const float* from =
        parts + (tile / size.across() * OUTPUTS * width + tile % size.across() * OUTPUTS) * STEM_PART;
    for (long c = 0; c < 4 * size.C; c += LANES) {
      transformBoth<INPUTS, INPUTS, transformInput>(
          EACH { return load(from + (i * width + j) * STEM_PART + c); },
          EACH_VALUE { store(v + (i * INPUTS + j) * next + c, value); });
    }
  }
}

/** Writes the tiles' outputs from M[49][tiles][K]. */
void scatterOutputs(const float* m, float* x, StemSize size, Range tiles) {
  const long h = size.h(), w = size.w(), K = size.K, next = stride(tiles.end - tiles.first, K);
  for (long tile = tiles.first; tile < tiles.end; tile++, m += K) {
    const long top = tile / size.across() * OUTPUTS, left = tile % size.across() * OUTPUTS;
    for (long k = 0; k < K; k += LANES) {
      transformBoth<INPUTS, OUTPUTS, transformProducts>(
          EACH { return load(m + (i * INPUTS + j) * next + k); },
          EACH_VALUE {
            if (top + i < h && left + j < w) store(x + ((top + i) * w + left + j) * K + k, value);
          });
    }
  }
}

INLINE Range blockFrom(long tile, long tiles) {
  return {tile, tile + STEM_BLOCK < tiles ? tile + STEM_BLOCK : tiles};
}

/** Buffers in `scratch`, in this order. */
INLINE float* afterParts(float* scratch, StemSize size) {
  return scratch + partsH(size) * partsW(size) * STEM_PART;
}

void convolve(const float* image, const float* u, float* x, StemSize size, float* scratch) {
  float *parts = scratch, *v = afterParts(parts, size),
        *m = v + STEM_POSITIONS * stride(STEM_BLOCK, STEM_PART);
  const long tiles = size.down() * size.across(), depth = 4 * size.C, K = size.K;
  partImage(image, parts, size);
  for (long tile = 0; tile < tiles; tile += STEM_BLOCK) {
    const Range block = blockFrom(tile, tiles);
    const long rows = block.end - block.first;
    gatherInputs(parts, v, size, block);
    for (long position = 0; position < STEM_POSITIONS; position++) {
      const Matrix inputs = {v + position * stride(rows, STEM_PART), STEM_PART, 1};
      multiply(inputs, u + position * depth * K, m + position * stride(rows, K), rows, K, depth, false);
    }
    scatterOutputs(m, x, size, block);
  }
}

// ── pooling ──

/** Locates the pixels of a window, row by row; pixels outside stand for their neighbours inside. */
INLINE void locateWindow(long row, long column, StemSize size, long pixels[9]) {
  const auto clamp = [](long at, long length) { return at < 0 ? 0 : at < length ? at : length - 1; };
  for (long i = 0; i < 3; i++) {
    for (long j = 0; j < 3; j++) {
      pixels[3 * i + j] = clamp(2 * row - 1 + i, size.h()) * size.w() + clamp(2 * column - 1 + j, size.w());
    }
  }
}

void pool(const float* x, const float* weight, float* maxima, StemSize size) {
  const long K = size.K;
  for (long row = 0; row < size.pooledH(); row++) {
    for (long column = 0; column < size.pooledW(); column++, maxima += K) {
      long pixels[9];
      locateWindow(row, column, size, pixels);
      for (long k = 0; k < K; k += LANES) {
        const Vector sign = load(weight + k) < 0.0f ? Vector{} - 1.0f : Vector{} + 1.0f;
        Vector best = Vector{} - __builtin_inff(), sum = {};
        UNROLL for (int n = 0; n < 9; n++) {
          const Vector here = sign * load(x + pixels[n] * K + k);
          best = here > best ? here : best;
          sum += here;
        }
        store(maxima + k, sum == sum ? sign * best : sum);  // a comparison would swallow NaN
      }
    }
  }
}

// ── the kernel's gradient ──

/** Computes the gradient of the convolution's maps, dx [h,w,K]. */
void spreadGradient(StemGradient gradient, float* dx, StemSize size) {
  const long K = size.K, pixels = size.h() * size.w();
  for (long pixel = 0; pixel < pixels; pixel++) {
    for (long k = 0; k < K; k += LANES) {
      const long at = pixel * K + k;
      store(dx + at, load(gradient.x + at) * load(gradient.slope + k) + load(gradient.offset + k));
    }
  }
  long window = 0;
  for (long row = 0; row < size.pooledH(); row++) {
    for (long column = 0; column < size.pooledW(); column++, window += K) {
      long pixels[9];
      locateWindow(row, column, size, pixels);
      for (long k = 0; k < K; k += LANES) {
        const Vector dy = load(gradient.dy + window + k), maximum = load(gradient.maxima + window + k);
        Vector rest = load(gradient.y + window + k) > 0.0f ? dy * load(gradient.factor + k) : Vector{};
        UNROLL for (int n = 0; n < 9; n++) {
          const long at = pixels[n] * K + k;
          const auto isMaximum = load(gradient.x + at) == maximum;
          store(dx + at, load(dx + at) + (isMaximum ? rest : Vector{}));
          rest = isMaximum ? Vector{} : rest;  // the first takes all
        }
      }
    }
  }
}

/** Transforms the tiles' gradients: dM[49][tiles][K]. */
void gatherGradients(const float* dx, float* dm, StemSize size, Range tiles) {
  const long h = size.h(), w = size.w(), K = size.K, next = stride(tiles.end - tiles.first, K);
  for (long tile = tiles.first; tile < tiles.end; tile++, dm += K) {
    const long top = tile / size.across() * OUTPUTS, left = tile % size.across() * OUTPUTS;
    for (long k = 0; k < K; k += LANES) {
      transformBoth<OUTPUTS, INPUTS, transformGradient>(
          EACH {
            const bool isInside = top + i < h && left + j < w;
            return load(isInside ? dx + ((top + i) * w + left + j) * K + k : nothing);
          },
          EACH_VALUE { store(dm + (i * INPUTS + j) * next + k, value); });
    }
  }
}

void correlate(const float* image, StemGradient gradient, float* du, StemSize size, float* scratch) {
  float *parts = scratch, *v = afterParts(parts, size),
        *dm = v + STEM_POSITIONS * stride(STEM_BLOCK, STEM_PART),
        *dx = dm + STEM_POSITIONS * stride(STEM_BLOCK, size.K);
  const long tiles = size.down() * size.across(), rows = 4 * size.C, K = size.K;
  partImage(image, parts, size);
  spreadGradient(gradient, dx, size);
  for (long tile = 0; tile < tiles; tile += STEM_BLOCK) {
    const Range block = blockFrom(tile, tiles);
    const long depth = block.end - block.first;
    gatherInputs(parts, v, size, block);
    gatherGradients(dx, dm, size, block);
    for (long position = 0; position < STEM_POSITIONS; position++) {
      const Matrix transposed = {v + position * stride(depth, STEM_PART), 1, STEM_PART};
      multiply(transposed, dm + position * stride(depth, K), du + position * rows * K, rows, K, depth, true);
    }
  }
}

}  // namespace

extern const Stem FOR_PROCESSOR(stem) = {transformKernel, collectKernel, convolve, pool, correlate};
