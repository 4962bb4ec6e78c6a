// Loops over tensors by strides.
#include "ops/strided.h"

#include <cstring>

#include "base/error.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

template <typename T>
void copy_rows(const std::byte* source, const StridedLoop& loop, std::byte* out) {
  const int64_t count = loop.shape.back(), step = loop.a.back();
  for_each_row(loop, [&](int64_t a, int64_t, int64_t position) {
    const T* from = reinterpret_cast<const T*>(source) + a;
    T* to = reinterpret_cast<T*>(out) + position;
    if (step == 1) {
      std::memcpy(to, from, static_cast<size_t>(count) * sizeof(T));
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = from[i * step];
    }
  });
}

}  // namespace

std::vector<int64_t> dense_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

std::vector<int64_t> broadcast_strides(const Shape& shape, const Shape& target) {
  const std::vector<int64_t> dense = dense_strides(shape);
  std::vector<int64_t> strides(target.size(), 0);
  const size_t skip = target.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) strides[skip + i] = dense[i];
  return strides;
}

StridedLoop merge_loop(const Shape& shape, const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  StridedLoop loop;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const bool joins = !loop.shape.empty() && loop.a.back() == a[i] * shape[i] && loop.b.back() == b[i] * shape[i];
    if (joins) {
      loop.shape.back() *= shape[i];
      loop.a.back() = a[i], loop.b.back() = b[i];
    } else {
      loop.shape.push_back(shape[i]);
      loop.a.push_back(a[i]), loop.b.push_back(b[i]);
    }
  }
  if (loop.shape.empty()) loop = {{1}, {0}, {0}};
  return loop;
}

void copy_strided(const Tensor& source, int64_t offset, const Shape& shape, const std::vector<int64_t>& strides,
                  Tensor& out) {
  if (out.numel() == 0) return;
  const StridedLoop loop = merge_loop(shape, strides, dense_strides(shape));
  const size_t size = dtype_size(source.dtype());
  const std::byte* from = source.bytes().data() + offset * static_cast<int64_t>(size);
  switch (size) {
    case 1:
      return copy_rows<uint8_t>(from, loop, out.mutable_bytes().data());
    case 2:
      return copy_rows<uint16_t>(from, loop, out.mutable_bytes().data());
    case 4:
      return copy_rows<uint32_t>(from, loop, out.mutable_bytes().data());
    case 8:
      return copy_rows<uint64_t>(from, loop, out.mutable_bytes().data());
    default:
      fail(ErrorCode::kInternal, "unexpected element size {}", size);
  }
}

Tensor expanded(const Tensor& tensor, const Shape& shape) {
  Tensor result(tensor.dtype(), shape);
  copy_strided(tensor, 0, shape, broadcast_strides(tensor.shape(), shape), result);
  return result;
}

}  // namespace effdet::ops
