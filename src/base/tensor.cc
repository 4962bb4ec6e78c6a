// Allocation of tensors, views of other shapes, names of element types, and conversion between them.
#include "base/tensor.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"

namespace effdet::inline base {
namespace {

constexpr size_t kMemoryAlignment = 64;
// Where asking the kernel how much memory there is costs little beside clearing it.
constexpr size_t kLarge = size_t{16} << 20;

std::shared_ptr<std::byte> allocate_zeroed(size_t size) {
  const size_t rounded =
      (size + kMemoryAlignment) / kMemoryAlignment * kMemoryAlignment;  // never 0: an empty tensor has an address too
  if (rounded >= kLarge && rounded > memory_left())
    fail(ErrorCode::kOutOfMemory, "a tensor of {} bytes does not fit in memory", size);
  const auto account = MemoryBudget::take(rounded);
  void* memory = std::aligned_alloc(kMemoryAlignment, rounded);
  if (memory == nullptr) {
    if (account != nullptr) MemoryBudget::release(*account, rounded);
    throw std::bad_alloc();
  }
  std::memset(memory, 0, rounded);
  return {static_cast<std::byte*>(memory), [account, rounded](std::byte* p) {
            std::free(p);
            if (account != nullptr) MemoryBudget::release(*account, rounded);
          }};
}

/// Calls f with a value of the C++ type that stores dtype (uint16_t for both 16-bit floats).
template <typename F>
void with_storage_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32:
      return f(float{});
    case DType::kF64:
      return f(double{});
    case DType::kF16:
    case DType::kBF16:
    case DType::kU16:
      return f(uint16_t{});
    case DType::kI8:
      return f(int8_t{});
    case DType::kU8:
    case DType::kBool:
      return f(uint8_t{});
    case DType::kI16:
      return f(int16_t{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kU32:
      return f(uint32_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kU64:
      return f(uint64_t{});
    case DType::kUnknown:
      break;
  }
}

/// Reads elements of any type that Wide holds exactly.
template <typename Wide>
void widen(DType from, const std::byte* source, int64_t begin, std::span<Wide> wide) {
  with_storage_type(from, [&](auto type) {
    const auto* elements = reinterpret_cast<const decltype(type)*>(source) + begin;
    for (size_t i = 0; i < wide.size(); ++i) {
      if (from == DType::kF16) {
        wide[i] = static_cast<Wide>(half_to_float(static_cast<uint16_t>(elements[i])));
      } else if (from == DType::kBF16) {
        wide[i] = static_cast<Wide>(bfloat16_to_float(static_cast<uint16_t>(elements[i])));
      } else {
        wide[i] = static_cast<Wide>(elements[i]);
      }
    }
  });
}

template <typename Wide>
void narrow(std::span<const Wide> wide, DType to, std::byte* target, int64_t begin) {
  with_storage_type(to, [&](auto type) {
    using To = decltype(type);
    auto* elements = reinterpret_cast<To*>(target) + begin;
    for (size_t i = 0; i < wide.size(); ++i) {
      if (to == DType::kF16) {
        elements[i] = static_cast<To>(float_to_half(static_cast<float>(wide[i])));
      } else if (to == DType::kBF16) {
        elements[i] = static_cast<To>(float_to_bfloat16(static_cast<float>(wide[i])));
      } else if (to == DType::kBool) {
        elements[i] = static_cast<To>(wide[i] != 0);
      } else {
        elements[i] = saturating_cast<To>(wide[i]);
      }
    }
  });
}

/// By way of a wide type: as many loops as types and not as pairs of types.
template <typename Wide>
void convert(DType from, const std::byte* source, DType to, std::byte* target, int64_t count) {
  constexpr int64_t kBlock = 512;
  Wide block[kBlock];
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const std::span<Wide> wide(block, static_cast<size_t>(std::min(kBlock, count - begin)));
    widen<Wide>(from, source, begin, wide);
    narrow<Wide>(wide, to, target, begin);
  }
}

}  // namespace

size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kI64:
    case DType::kU64:
      return 8;
    case DType::kF32:
    case DType::kI32:
    case DType::kU32:
      return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16:
    case DType::kU16:
      return 2;
    case DType::kI8:
    case DType::kU8:
    case DType::kBool:
      return 1;
    case DType::kUnknown:
      break;
  }
  fail(ErrorCode::kInternal, "unknown element type {}", static_cast<int>(dtype));
}

std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "float32";
    case DType::kF16:
      return "float16";
    case DType::kBF16:
      return "bfloat16";
    case DType::kF64:
      return "float64";
    case DType::kI8:
      return "int8";
    case DType::kU8:
      return "uint8";
    case DType::kI16:
      return "int16";
    case DType::kU16:
      return "uint16";
    case DType::kI32:
      return "int32";
    case DType::kU32:
      return "uint32";
    case DType::kI64:
      return "int64";
    case DType::kU64:
      return "uint64";
    case DType::kBool:
      return "bool";
    case DType::kUnknown:
      return "unknown";
  }
  return "?";
}

std::optional<DType> dtype_of_name(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i)
    if (dtype_name(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  return std::nullopt;
}

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kF16 || dtype == DType::kBF16;
}

std::string shape_text(std::span<const int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += dim < 0 ? "?" : std::to_string(dim);
  }
  return text;
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  const auto count = checked_numel(shape_);
  const auto size = count ? checked_mul(*count, dtype_size(dtype)) : std::nullopt;
  if (!size || *size > (uint64_t{1} << 46)) bad_input("a tensor of shape {} is too large", shape_text(shape_));
  numel_ = static_cast<int64_t>(*count);
  std::shared_ptr<std::byte> bytes = allocate_zeroed(*size);
  allocated_ = bytes.get();
  bytes_ = std::move(bytes);
}

Tensor::Tensor(DType dtype, Shape shape, std::shared_ptr<const std::byte> bytes)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)) {
  const auto count = checked_numel(shape_);
  if (!count) bad_input("a tensor of shape {} is too large", shape_text(shape_));
  numel_ = static_cast<int64_t>(*count);
}

std::span<std::byte> Tensor::mutable_bytes() {
  if (allocated_ == nullptr && byte_size() > 0) fail(ErrorCode::kInternal, "a tensor's bytes belong to another owner");
  return {allocated_, byte_size()};
}

Tensor Tensor::reshaped(Shape shape) const {
  const auto count = checked_numel(shape);
  if (!count || static_cast<int64_t>(*count) != numel_)
    fail(ErrorCode::kInternal, "cannot view shape {} as {}", shape_text(shape_), shape_text(shape));
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor result(dtype, shape_);
  auto* target = result.mutable_bytes().data();
  if (dtype_ == DType::kU64) {
    convert<uint64_t>(dtype_, bytes_.get(), dtype, target, numel_);
  } else if (is_float(dtype_)) {
    convert<double>(dtype_, bytes_.get(), dtype, target, numel_);
  } else {
    convert<int64_t>(dtype_, bytes_.get(), dtype, target, numel_);
  }
  return result;
}

void Tensor::check_type(DType dtype) const {
  if (dtype != dtype_) fail(ErrorCode::kInternal, "tensor is {}, not {}", dtype_name(dtype_), dtype_name(dtype));
}

float half_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1Fu;
  const uint32_t mantissa = bits & 0x3FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24 is exact
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

uint16_t float_to_half(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return sign | 0x7E00u;
  if (magnitude >= 0x477FF000u) return sign | 0x7C00u;  // rounds to 65536 or more
  if (magnitude < 0x38800000u) {                        // subnormal: the addition rounds for us
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f)));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}

float bfloat16_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t float_to_bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace effdet::inline base
