// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): a step along the orthogonal matrix
// nearest to Nesterov's momentum. Iterations x ← x · q with
//
//     q = 3.4445 − 4.775 xᵀx + 2.0315 (xᵀx)²
//
// drive singular values of 0.01 to 1 into 0.7–1.2. As xᵀx commutes with q, they need its small matrices alone.
#include "muon.h"

#include "products.h"

namespace {

constexpr float LINEAR = 3.4445f, CUBIC = -4.775f, QUINTIC = 2.0315f, SMALLEST_NORM = 1e-7f;
constexpr int ITERATIONS = 5;

void scale(float* matrix, long size, float factor) {
  for (long at = 0; at < size; at += LANES) store(matrix + at, factor * load(matrix + at));
}

float normOf(const float* matrix, long size) {
  Vector sum = {};
  for (long at = 0; at < size; at += LANES) sum += load(matrix + at) * load(matrix + at);
  float parts[LANES], total = 0;
  store(parts, sum);
  for (int lane = 0; lane < LANES; lane++) total += parts[lane];
  return __builtin_sqrtf(total);
}

/** Computes q [m,m] of gram = xᵀx. */
void polynomial(const float* gram, float* q, long m) {
  multiply({gram, m, 1}, gram, q, m, m, m, false);
  for (long at = 0; at < m * m; at += LANES) store(q + at, QUINTIC * load(q + at) + CUBIC * load(gram + at));
  for (long row = 0; row < m; row++) q[row * m + row] += LINEAR;
}

/** Computes y = x · q₁ · q₂ …, but for the norm of x, which it returns: y / norm has singular values near 1. */
float orthogonalise(const float* x, float* y, long n, long m, float* scratch) {
  float *gram = scratch, *q = gram + m * m, *product = q + m * m, *other = product + m * m;
  const float norm = normOf(x, n * m) + SMALLEST_NORM;
  multiply({x, 1, m}, x, gram, m, m, n, false);
  scale(gram, m * m, 1 / norm / norm);
  polynomial(gram, product, m);
  const float* last = product;
  for (int iteration = 1; iteration < ITERATIONS; iteration++) {
    multiply({gram, m, 1}, last, other, m, m, m, false);
    multiply({other, m, 1}, last, gram, m, m, m, false);
    polynomial(gram, q, m);
    multiply({product, m, 1}, q, other, m, m, m, false);
    float* const before = product;
    product = other, other = before;
    last = q;
  }
  multiply({x, m, 1}, product, y, n, m, m, false);
  return norm;
}

void step(MuonTensors tensors, long n, long m, float momentum, float learningRate, float* scratch) {
  const long size = n * m;
  float *direction = scratch, *result = tensors.nextParameter;
  for (long at = 0; at < size; at += LANES) {
    const Vector gradient = load(tensors.gradient + at);
    const Vector next = momentum * load(tensors.buffer + at) + gradient;
    store(tensors.nextBuffer + at, next);
    store(direction + at, gradient + momentum * next);
  }
  const float norm = orthogonalise(direction, result, n, m, scratch + size);
  const float length = __builtin_sqrtf(static_cast<float>(m)) / normOf(tensors.parameter, size);
  for (long at = 0; at < size; at += LANES) {
    store(result + at, length * load(tensors.parameter + at) - learningRate / norm * load(result + at));
  }
}

}  // namespace

extern const Muon FOR_PROCESSOR(muon) = {step};
