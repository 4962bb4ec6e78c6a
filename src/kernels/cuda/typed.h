// From a plan's types and shapes to the kernels for them.
#pragma once

#include <type_traits>
#include <utility>

#include "kernels/cuda/api.h"
#include "kernels/cuda/kernel_list.h"
#include "kernels/kernel.h"
#include "ops/fused/window.h"

namespace effdet::kernels::cuda {

/// The element types of maps here.
inline bool is_map_type(DType type) { return type == DType::kF32 || type == DType::kF16 || type == DType::kBF16; }

/// Calls f with a value of an element type of 16 bits.
template <typename F>
void with_narrow_type(DType type, F&& f) {
  if (type == DType::kF16) return f(Fp16{});
  f(Bf16{});
}

/// The same for any type of maps. Precondition: is_map_type().
template <typename F>
void with_type(DType type, F&& f) {
  if (type == DType::kF32) return f(0.0f);
  with_narrow_type(type, f);
}

/// Calls f with the values of a pack, as a std::integral_constant: as many as divide a count.
template <typename T, typename F>
void with_pack(int64_t count, F&& f) {
  if (count % kPackOf<T> == 0) return f(std::integral_constant<int, kPackOf<T>>());
  f(std::integral_constant<int, 1>());
}

inline Element element_of(DType type) {
  return type == DType::kF16 ? Element::kF16 : type == DType::kBF16 ? Element::kBf16 : Element::kF32;
}

/// Values of a map.
inline int64_t count_of(const ops::Dims& dims) { return dims.batch * dims.channels * dims.height * dims.width; }
/// Values of a tensor of that shape, which inference has checked.
inline int64_t count_of(const Shape& shape) { return Tensor(DType::kF32, shape, nullptr).numel(); }

inline WindowSize window_size(const ops::Window2d& w, const ops::Dims& in, const ops::Dims& out) {
  return {static_cast<int>(in.height),
          static_cast<int>(in.width),
          static_cast<int>(out.height),
          static_cast<int>(out.width),
          w.kernel_height,
          w.kernel_width,
          w.stride_y,
          w.stride_x,
          w.pad_top,
          w.pad_left};
}

inline MapStrides strides_of(const ops::Dims& dims, ir::Layout layout) {
  const int64_t plane = dims.height * dims.width, image = plane * dims.channels;
  if (layout == ir::Layout::kPlain) return {image, dims.width, 1, plane};
  return {image, dims.width * dims.channels, dims.channels, 1};
}

/// Why a step does not run on maps of its types; empty where it does: all of one type, of floats.
inline std::string refuse_types(const PlanContext& c) {
  const DType type = c.inputs[0].dtype;
  if (!is_map_type(type)) return "only floats";
  return c.outputs[0].dtype == type ? "" : "input and output of two types";
}

/// Parts of scratch memory, one after the other.
class ScratchPlan {
 public:
  /// The offset of so many bytes.
  size_t add(int64_t bytes) { return std::exchange(size_, size_ + (static_cast<size_t>(bytes) + 255) / 256 * 256); }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
};

}  // namespace effdet::kernels::cuda
