// The compiler's vector types, as wide as the processor that a file is compiled for. What includes this is
// compiled once for each kind of processor (-DPROCESSOR=…) and uses nothing of the standard library: its
// inline functions would come out for the wrong one.
#pragma once

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float UnalignedVector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/** name + PROCESSOR: what a file gives the others. */
#define FOR_PROCESSOR(name) JOIN(name, PROCESSOR)
#define JOIN(one, other) JOIN_EXPANDED(one, other)
#define JOIN_EXPANDED(one, other) one##other

namespace {

[[maybe_unused]] const float nothing[LANES] = {};  // what lies outside of a map

INLINE Vector load(const float* from) { return *reinterpret_cast<const UnalignedVector*>(from); }
INLINE void store(float* to, Vector value) { *reinterpret_cast<UnalignedVector*>(to) = value; }
/** max(value, 0), and NaN for NaN, so that a diverged training shows. */
INLINE Vector positive(Vector value) { return value < 0.0f ? Vector{} : value; }

}  // namespace
