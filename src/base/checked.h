// Arithmetic on numbers that come from files: never wraps, says so instead.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

namespace effdet::inline base {

/// a * b, or nothing where that does not fit in 64 bits.
inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t result;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// a + b, or nothing where that does not fit in 64 bits.
inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t result;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// Whether [offset, offset + length) lies within [0, size); correct for every value of the three.
inline bool fits(uint64_t offset, uint64_t length, uint64_t size) { return length <= size && offset <= size - length; }

/// The number of elements of a shape, or nothing for a negative dimension or a product above 2^62.
inline std::optional<uint64_t> checked_numel(std::span<const int64_t> shape) {
  // A zero anywhere makes the product zero, whatever the others are: they must still be sane one by one.
  uint64_t product = 1;
  bool zero = false;
  for (int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      zero = true;
      continue;
    }
    auto next = checked_mul(product, static_cast<uint64_t>(dim));
    if (!next || *next > (uint64_t{1} << 62)) return std::nullopt;
    product = *next;
  }
  return zero ? 0 : product;
}

/// static_cast, but a float beyond an integer type's range becomes the nearest integer, and NaN 0 (both are undefined
/// in a plain cast).
template <typename To, typename From>
To saturating_cast(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(x)) return To(0);
    if (x <= static_cast<From>(Limits::lowest())) return Limits::lowest();
    if (x >= static_cast<From>(Limits::max())) return Limits::max();
  }
  return static_cast<To>(x);
}

}  // namespace effdet::inline base
