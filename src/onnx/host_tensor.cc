// Tensors in files, their comparison, and between the public type and the library's.
#include "onnx/host_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"
#include "base/npy.h"
#include "onnx/tensor_file.h"

namespace effdet {
namespace onnx {

Tensor to_tensor(const HostTensor& tensor) {
  const auto dtype = dtype_of_name(tensor.dtype);
  if (!dtype) fail(ErrorCode::kUsage, "tensor '{}': there is no type '{}'", tensor.name, tensor.dtype);
  const auto count = checked_numel(tensor.shape);
  if (!count || checked_mul(*count, dtype_size(*dtype)) != tensor.bytes.size())
    fail(ErrorCode::kUsage, "tensor '{}': {} bytes for {} of shape {}", tensor.name, tensor.bytes.size(), tensor.dtype,
         shape_text(tensor.shape));
  Tensor copy(*dtype, tensor.shape);
  if (!tensor.bytes.empty()) std::memcpy(copy.mutable_bytes().data(), tensor.bytes.data(), tensor.bytes.size());
  if (*dtype == DType::kBool && std::ranges::any_of(copy.bytes(), [](std::byte b) { return b > std::byte{1}; }))
    fail(ErrorCode::kUsage, "tensor '{}' holds a bool that is neither 0 nor 1", tensor.name);
  return copy;
}

HostTensor from_tensor(std::string name, const Tensor& tensor) {
  return {std::move(name),
          std::string(dtype_name(tensor.dtype())),
          tensor.shape(),
          {tensor.bytes().begin(), tensor.bytes().end()}};
}

}  // namespace onnx

namespace {

/// Bytes alone: the model says what they are.
Tensor read_bin(const std::filesystem::path& path, const TensorInfo& like) {
  const auto dtype = dtype_of_name(like.dtype);
  if (!dtype) fail(ErrorCode::kUsage, "{}: a .bin file says neither type nor shape; give a .npy", path.string());
  const MappedFile file(path);
  Shape shape = like.shape, known;
  int64_t* open = nullptr;
  for (int64_t& dim : shape) {
    if (dim >= 0) {
      known.push_back(dim);
    } else if (std::exchange(open, &dim) != nullptr) {
      fail(ErrorCode::kUsage, "{}: shape {} leaves more than one dimension open; give a .npy", path.string(),
           shape_text(like.shape));
    }
  }
  const auto count = checked_numel(known);
  const auto rest = count ? checked_mul(*count, dtype_size(*dtype)) : std::nullopt;
  if (open != nullptr && rest && *rest > 0) *open = static_cast<int64_t>(file.size() / *rest);
  const auto size = checked_numel(shape);
  if (!size || checked_mul(*size, dtype_size(*dtype)) != file.size())
    bad_input("{}: {} bytes for {} of shape {}", path.string(), file.size(), like.dtype, shape_text(like.shape));
  Tensor tensor(*dtype, shape);
  if (file.size() > 0) std::memcpy(tensor.mutable_bytes().data(), file.bytes().data(), file.size());
  return tensor;
}

/// |a - b| as numpy's assert_allclose sees it.
double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double difference = std::abs(a - b);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

}  // namespace

HostTensor read_tensor(const std::filesystem::path& path, const TensorInfo& like) {
  const std::string ending = path.extension().string();
  if (ending == ".npy") return onnx::from_tensor(like.name, read_npy(path));
  if (ending == ".bin") return onnx::from_tensor(like.name, read_bin(path, like));
  if (ending != ".pb") fail(ErrorCode::kUsage, "{}: a tensor's file ends in .npy, .pb or .bin", path.string());
  auto [name, tensor] = onnx::read_tensor_file(path);
  return onnx::from_tensor(name.empty() ? like.name : name, tensor);
}

void write_npy(const HostTensor& tensor, const std::filesystem::path& path) {
  write_npy(onnx::to_tensor(tensor), path);
}

TensorDifference compare_tensors(const HostTensor& a, const HostTensor& b, const Tolerance& tolerance) {
  TensorDifference result;
  if (a.dtype != b.dtype || a.shape != b.shape) {
    result.mismatch = fmt::format("{} {} against {} {}", a.dtype, shape_text(a.shape), b.dtype, shape_text(b.shape));
    return result;
  }
  const Tensor left = onnx::to_tensor(a).to(DType::kF64), right = onnx::to_tensor(b).to(DType::kF64);
  const auto x = left.data<double>(), y = right.data<double>();
  double magnitude = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(y[i])) magnitude = std::max(magnitude, std::abs(y[i]));
    const double apart = distance(x[i], y[i]);
    if (apart > result.largest) result.largest = apart, result.position = static_cast<int64_t>(i);
    if (apart > tolerance.absolute + tolerance.relative * std::abs(y[i]) || std::isinf(apart)) ++result.outside;
  }
  result.relative = result.largest == 0 || magnitude == 0 ? result.largest : result.largest / magnitude;
  return result;
}

}  // namespace effdet
