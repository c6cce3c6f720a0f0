// Crops, flips and normalises images, on all threads: a batch as a network is trained on it.
#include <algorithm>
#include <cstdint>

#include "parallel.h"
#include "range.h"

namespace {

constexpr long CHANNELS_OF_COLOUR = 3, BYTES = 256, IMAGES_WORTH_A_THREAD = 8;

/** An image of the set and its changes, in the order of CropOptions.crops in library.ts. */
struct Crop {
  int32_t image, left, top, flip;
};

/** Writes an image [size,size,3]; pixels outside of it are byte 0. */
void cropImage(const uint8_t* image, const Crop& crop, const float* lookup, float* values, long size) {
  const float *red = lookup, *green = lookup + BYTES, *blue = lookup + 2 * BYTES;
  const long row = size * CHANNELS_OF_COLOUR;
  const long first = std::clamp<long>(-crop.left, 0, size),
             last = std::clamp<long>(size - crop.left, 0, size);
  for (long y = 0; y < size; y++) {
    float* to = values + y * row;
    const bool isInside = y + crop.top >= 0 && y + crop.top < size;
    if (!isInside || crop.left != 0) {
      for (long x = 0; x < size; x++) {
        to[3 * x] = red[0], to[3 * x + 1] = green[0], to[3 * x + 2] = blue[0];
      }
    }
    if (!isInside) continue;
    const uint8_t* from = image + (y + crop.top) * row + (first + crop.left) * CHANNELS_OF_COLOUR;
    const long step = crop.flip ? -CHANNELS_OF_COLOUR : CHANNELS_OF_COLOUR;
    to += (crop.flip ? size - 1 - first : first) * CHANNELS_OF_COLOUR;
    for (long x = first; x < last; x++, from += CHANNELS_OF_COLOUR, to += step) {
      to[0] = red[from[0]], to[1] = green[from[1]], to[2] = blue[from[2]];
    }
  }
}

}  // namespace

/** Writes values [count,size,size,3] of images [N,size,size,3]: `lookup` [3,256] normalises a channel's bytes. */
extern "C" void cropImages(const uint8_t* images, const int32_t* crops, const float* lookup, float* values,
                           int count, int size) {
  const long length = long(size) * size * CHANNELS_OF_COLOUR;
  const long parts = partsFor(count, IMAGES_WORTH_A_THREAD);
  inParallel(parts, [&](long part) {
    const Range range = rangeOf(count, part, parts);
    for (long at = range.first; at < range.end; at++) {
      const Crop& crop = reinterpret_cast<const Crop*>(crops)[at];
      cropImage(images + crop.image * length, crop, lookup, values + at * length, size);
    }
  });
}
