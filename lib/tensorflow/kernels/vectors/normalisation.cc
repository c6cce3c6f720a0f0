// Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167). It is bound by memory, so each pass reads
// and writes each value once, sixteen channels at a time with the sums in registers.
#include "normalisation.h"

#include "vector.h"

namespace {

constexpr int VECTORS = CHANNELS / LANES;  // vectors per group of channels
constexpr long ROWS_AT_ONCE = 128;         // are added up in single precision

struct Group {
  Vector part[VECTORS];
};

INLINE void addTo(double* sums, const Group& group) {
  float values[CHANNELS];
  UNROLL for (int n = 0; n < VECTORS; n++) store(values + n * LANES, group.part[n]);
  for (long c = 0; c < CHANNELS; c++) sums[c] += values[c];
}

/** Calls step(row, c, sum, product) for each row and group of channels; adds up in double now and then. */
template <typename Step>
INLINE void sumRows(Range rows, long C, double* sums, double* products, const Step& step) {
  for (long start = rows.first; start < rows.end; start += ROWS_AT_ONCE) {
    const long end = start + ROWS_AT_ONCE < rows.end ? start + ROWS_AT_ONCE : rows.end;
    for (long c = 0; c < C; c += CHANNELS) {
      Group sum = {}, product = {};
      for (long row = start; row < end; row++) step(row, c, sum, product);
      addTo(sums + c, sum);
      addTo(products + c, product);
    }
  }
}

#define EACH_ROW [&](long row, long c, Group& sum, Group& product) __attribute__((always_inline))

void sumUp(Batch batch, Range rows, const float* reference, double* sums, double* squares) {
  sumRows(
      rows, batch.C, sums, squares, EACH_ROW {
        UNROLL for (int n = 0; n < VECTORS; n++) {
          const long channel = c + n * LANES;
          const Vector value = load(batch.x + row * batch.C + channel) - load(reference + channel);
          sum.part[n] += value;
          product.part[n] += value * value;
        }
      });
}

void apply(Batch batch, Range rows, Affine affine, float* y) {
  for (long row = rows.first; row < rows.end; row++) {
    for (long c = 0; c < batch.C; c += LANES) {
      const long at = row * batch.C + c;
      Vector value = load(batch.x + at) * load(affine.factor + c) + load(affine.offset + c);
      if (affine.shortcut) value += load(affine.shortcut + at);
      store(y + at, affine.relu ? positive(value) : value);
    }
  }
}

INLINE Vector gradientAt(const Gradient& gradient, long at) {
  const Vector dy = load(gradient.dy + at);
  return gradient.y ? (load(gradient.y + at) > 0.0f ? dy : Vector{}) : dy;
}

void sumUpGradient(Batch batch, Range rows, const float* mean, Gradient gradient, double* sums,
                   double* products) {
  sumRows(
      rows, batch.C, sums, products, EACH_ROW {
        UNROLL for (int n = 0; n < VECTORS; n++) {
          const long channel = c + n * LANES, at = row * batch.C + channel;
          const Vector g = gradientAt(gradient, at);
          if (gradient.g) store(gradient.g + at, g);
          sum.part[n] += g;
          product.part[n] += g * (load(batch.x + at) - load(mean + channel));
        }
      });
}

void applyGradient(Batch batch, Range rows, Gradient gradient, const float* factor, const float* slope,
                   const float* offset, float* dx) {
  for (long row = rows.first; row < rows.end; row++) {
    for (long c = 0; c < batch.C; c += LANES) {
      const long at = row * batch.C + c;
      const Vector g = gradient.g ? load(gradient.g + at) : gradientAt(gradient, at);
      store(dx + at, g * load(factor + c) + (load(batch.x + at) * load(slope + c) + load(offset + c)));
    }
  }
}

}  // namespace

extern const Normalisation FOR_PROCESSOR(normalisation) = {sumUp, apply, sumUpGradient, applyGradient};
