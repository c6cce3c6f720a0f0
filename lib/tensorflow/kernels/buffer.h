#pragma once

#include <cstdlib>

/** Memory for numbers that grows to the largest size asked for: one per thread. */
class Buffer {
 public:
  ~Buffer() { std::free(data_); }

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
