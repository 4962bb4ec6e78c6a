// Uniform random values of every type from SplitMix64.
#include "passes/random_tensor.h"

#include "base/error.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

/// SplitMix64: a step and a mix of bits. Standard distributions would take longer than the networks they feed.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  /// The sum of four uniform numbers is nearly normal; the deviation of one in [0, 1) is 1 / sqrt(12).
  float normal() {
    const uint64_t bits = next();
    const auto part = [&](int i) { return static_cast<float>((bits >> (16 * i)) & 0xffff); };
    constexpr float kScale = 1.7320508f / 65536;
    return (part(0) + part(1) + part(2) + part(3) - 2 * 65535.0f) * kScale;
  }

 private:
  uint64_t state_;
};

/// So many numbers, from 0 on, are among those of the type.
uint64_t limit_of(DType dtype, IntegerRange range) {
  if (dtype == DType::kBool) return 2;
  if (!has_range(dtype)) return 256;
  return range == IntegerRange::kSmall ? 16 : range == IntegerRange::kBits ? 2 : 1;
}

}  // namespace

bool has_range(DType dtype) {
  return !is_float(dtype) && dtype != DType::kBool && dtype != DType::kU8 && dtype != DType::kI8;
}

Tensor random_tensor(const ir::Value& value, uint64_t seed, IntegerRange range) {
  if (!is_static(value.shape))
    bad_input("input '{}' has shape {}, which is not known to the last dimension; give its shape", value.name,
              value.shape ? shape_text(*value.shape) : "unknown");
  Generator generator(seed);
  if (is_float(value.dtype)) {
    Tensor tensor(DType::kF32, *value.shape);
    for (float& x : tensor.mutable_data<float>()) x = generator.normal();
    return tensor.to(value.dtype);
  }
  const uint64_t limit = limit_of(value.dtype, range);
  if (dtype_size(value.dtype) == 1) {
    Tensor tensor(value.dtype, *value.shape);
    auto* bytes = tensor.mutable_bytes().data();
    for (int64_t i = 0; i < tensor.numel(); ++i) bytes[i] = static_cast<std::byte>(generator.next() % limit);
    return tensor;
  }
  Tensor tensor(DType::kI64, *value.shape);
  for (int64_t& x : tensor.mutable_data<int64_t>()) x = static_cast<int64_t>(generator.next() % limit);
  return tensor.to(value.dtype);
}

}  // namespace effdet::passes
