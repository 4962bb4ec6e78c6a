// Element types and an immutable-by-convention tensor: a typed, shaped view of bytes that it keeps alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bf16.h"

namespace effdet::inline base {

enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kBool,
  kUnknown,  ///< of a graph's value alone, never of a tensor: only an operator that is not known could tell it
};

/// Bytes that one element takes. Precondition: the type is known.
size_t dtype_size(DType dtype);
/// "float32", "int64", ...: numpy's names.
std::string_view dtype_name(DType dtype);
/// The type of that name, or nothing.
std::optional<DType> dtype_of_name(std::string_view name);

/// Whether its values are floating-point numbers, of any width.
bool is_float(DType dtype);

/// Dimensions, outermost first; -1 stands for one that is not known (only in graph values, never in a Tensor).
using Shape = std::vector<int64_t>;

/// "1x3x512x512"; "scalar" for no dimensions.
std::string shape_text(std::span<const int64_t> shape);

/// A dense, row-major, little-endian tensor. Copies share the bytes, which stay alive as long as one copy does (they
/// may lie in a mapped file). Whoever allocates a tensor may write to it through mutable_data() and mutable_bytes();
/// after that it is constant.
class Tensor {
 public:
  Tensor() = default;
  /// Allocates, zero-filled. Throws Error(kBadInput) where the size is not representable.
  Tensor(DType dtype, Shape shape);
  /// Refers to bytes that owner keeps alive. Precondition: they are as many as dtype and shape say.
  Tensor(DType dtype, Shape shape, std::shared_ptr<const std::byte> bytes);

  /// A tensor with a copy of the values; T must match dtype_of<T>().
  template <typename T>
  static Tensor from(Shape shape, std::span<const T> values);
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>({}, std::span<const T>(&value, 1));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(size_t axis) const { return shape_.at(axis); }
  size_t rank() const { return shape_.size(); }
  /// Number of elements.
  int64_t numel() const { return numel_; }
  size_t byte_size() const { return static_cast<size_t>(numel_) * dtype_size(dtype_); }
  bool empty() const { return bytes_ == nullptr; }

  std::span<const std::byte> bytes() const { return {bytes_.get(), byte_size()}; }
  /// The elements as T; throws Error(kInternal) where T is not the tensor's type.
  template <typename T>
  std::span<const T> data() const;
  /// For the creator only, before the tensor is shared. Throws Error(kInternal) for a tensor that refers to the bytes
  /// of another owner.
  std::span<std::byte> mutable_bytes();
  template <typename T>
  std::span<T> mutable_data();

  /// The same bytes under another shape with as many elements.
  Tensor reshaped(Shape shape) const;
  /// Converted element by element (fp16 and bf16 round to nearest even; floats to integers truncate).
  Tensor to(DType dtype) const;

 private:
  void check_type(DType dtype) const;

  DType dtype_ = DType::kF32;
  Shape shape_;
  int64_t numel_ = 0;
  std::shared_ptr<const std::byte> bytes_;
  std::byte* allocated_ = nullptr;  // the same bytes, where this tensor or the one that it is a copy of allocated them
};

/// The DType of a C++ element type.
template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kF32;
}
template <>
constexpr DType dtype_of<Bf16>() {
  return DType::kBF16;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kF64;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::kI8;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::kU8;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::kI16;
}
template <>
constexpr DType dtype_of<uint16_t>() {
  return DType::kU16;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::kI32;
}
template <>
constexpr DType dtype_of<uint32_t>() {
  return DType::kU32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::kI64;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::kU64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::kBool;
}

template <typename T>
std::span<const T> Tensor::data() const {
  check_type(dtype_of<T>());
  return {reinterpret_cast<const T*>(bytes_.get()), static_cast<size_t>(numel_)};
}

template <typename T>
std::span<T> Tensor::mutable_data() {
  check_type(dtype_of<T>());
  return {reinterpret_cast<T*>(mutable_bytes().data()), static_cast<size_t>(numel_)};
}

template <typename T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  auto out = tensor.mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[i];
  return tensor;
}

/// IEEE half and bfloat16 to float and back (round to nearest even), on the bits.
float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);
float bfloat16_to_float(uint16_t bits);
uint16_t float_to_bfloat16(float value);

}  // namespace effdet::inline base
