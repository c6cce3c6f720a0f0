#include "convolution.h"

#include <algorithm>
#include <cstdlib>

#include "parallel.h"
#include "processor.h"

namespace {

/** A buffer that a thread keeps for its next call, so that it is allocated once. */
class Numbers {
 public:
  ~Numbers() { std::free(data_); }

  float* ofSize(long size) {
    if (size > size_) {
      std::free(data_);
      data_ = static_cast<float*>(std::aligned_alloc(64, (size * sizeof(float) + 63) / 64 * 64));
      if (!data_) std::abort();
      size_ = size;
    }
    return data_;
  }

 private:
  float* data_ = nullptr;
  long size_ = 0;
};

thread_local Numbers transformed, scratch;

constexpr long TILES_WORTH_A_THREAD = 16;

long partsFor(long tiles) { return std::clamp(tiles / TILES_WORTH_A_THREAD, 1L, threads()); }

}  // namespace

void convolve3x3(const float* x, const float* kernel, float* y, Maps maps, long C, long K, bool flipped,
                 Epilogue epilogue) {
  const Winograd& with = FOR_THIS_PROCESSOR(winograd);
  float* u = transformed.ofSize(POSITIONS * stride(C, K));
  if (flipped) {
    with.transformFlipped(kernel, u, K, C, {0, C});  // the kernel is [3,3,K,C]
  } else {
    with.transformKernel(kernel, u, C, K, {0, C});
  }
  const long tiles = maps.tiles(), parts = partsFor(tiles);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(scratchSize(C, K));
    with.convolve(x, u, y, maps, C, K, share(tiles, part, parts), epilogue, own);
  });
}

void convolve3x3KernelGradient(const float* x, const float* dy, float* dKernel, Maps maps, long C, long K) {
  const Winograd& with = FOR_THIS_PROCESSOR(winograd);
  const long tiles = maps.tiles(), parts = partsFor(tiles), size = POSITIONS * stride(C, K);
  if (tiles == 0) return (void)std::fill_n(dKernel, 9 * C * K, 0.0f);
  float* du = transformed.ofSize(parts * size);
  inParallel(parts, [&](long part) {
    float* own = scratch.ofSize(scratchSize(C, K));
    with.correlate(x, dy, du + part * size, maps, C, K, share(tiles, part, parts), own);
  });
  with.collectKernel(du, parts, dKernel, C, K, {0, C});
}
