// Operators that move elements without looking at them: an output of any shape, read from the input by strides.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/cpu/cpu.h"
#include "kernels/cpu/micro_kernels.h"
#include "ops/fused/maps.h"
#include "ops/strided.h"
#include "ops/strided_view.h"

namespace effdet::kernels::cpu {
namespace {

// Bytes of a task: enough to be worth handing to another thread.
constexpr int64_t kCopyTaskBytes = 64 << 10;

class StridedCopy : public Kernel {
 public:
  StridedCopy(const ValueInfo& x, const ops::StridedView& view)
      : micro_(micro_kernels()), size_(dtype_size(x.dtype)), offset_(view.offset) {
    const ops::StridedLoop loop = ops::merge_loop(view.shape, view.strides, ops::dense_strides(view.shape));
    shape_ = loop.shape;
    strides_ = loop.a;
    out_ = loop.b;
    line_ = shape_.size() - 1;
    across_ = line_;
    // Where the innermost dimension jumps, one that does not jump is next to it, and both are turned in blocks.
    if (size_ == sizeof(float) && strides_[line_] > 1 && fits_int(shape_[line_]))
      for (size_t i = 0; i < line_; ++i)
        if (strides_[i] == 1 && fits_int(shape_[i])) across_ = i;
  }

  void run(const RunContext& context) const override {
    const int64_t parts = parts_of(line_, line_step()), across_parts = turns() ? parts_of(across_, across_step()) : 1;
    const int64_t count = outer_count() * across_parts * parts;
    const int64_t block_bytes = line_step() * (turns() ? across_step() : 1) * static_cast<int64_t>(size_);
    const int64_t blocks = std::max<int64_t>(1, kCopyTaskBytes / block_bytes);
    context.threads.parallel_for((count + blocks - 1) / blocks, [&](int64_t task, int) {
      for (int64_t block = task * blocks; block < std::min(count, (task + 1) * blocks); ++block)
        copy(context, block / parts / across_parts, block / parts % across_parts * across_step(),
             block % parts * line_step());
    });
  }

 private:
  static bool fits_int(int64_t dim) { return dim <= ops::kMaxExtent; }

  bool turns() const { return across_ != line_; }
  int64_t parts_of(size_t axis, int64_t step) const { return (shape_[axis] + step - 1) / step; }

  /// Elements of a line that are copied at once; of a turned one few, so that both sides stay in the cache.
  int64_t line_step() const {
    constexpr int64_t kTurned = 64;
    return std::min(shape_[line_], turns() ? kTurned : kCopyTaskBytes / static_cast<int64_t>(size_));
  }
  int64_t across_step() const {
    return std::min(shape_[across_], kCopyTaskBytes / (line_step() * static_cast<int64_t>(size_)));
  }

  int64_t outer_count() const {
    int64_t count = 1;
    for (size_t i = 0; i < line_; ++i)
      if (i != across_) count *= shape_[i];
    return count;
  }

  /// A part of a line, or of lines beside each other that are turned.
  void copy(const RunContext& context, int64_t outer, int64_t row, int64_t first) const {
    int64_t from = offset_ + first * strides_[line_], to = first;
    if (turns()) {
      from += row;
      to += row * out_[across_];
    }
    for (size_t i = line_; i-- > 0;) {
      if (i == across_) continue;
      from += outer % shape_[i] * strides_[i];
      to += outer % shape_[i] * out_[i];
      outer /= shape_[i];
    }
    const std::byte* x = context.inputs[0] + from * static_cast<int64_t>(size_);
    std::byte* y = context.outputs[0] + to * static_cast<int64_t>(size_);
    const int64_t count = std::min(line_step(), shape_[line_] - first);
    if (turns()) {
      micro_.transpose(reinterpret_cast<const float*>(x), strides_[line_], reinterpret_cast<float*>(y), out_[across_],
                       static_cast<int>(count), static_cast<int>(std::min(across_step(), shape_[across_] - row)));
    } else if (strides_[line_] == 1) {
      std::memcpy(y, x, static_cast<size_t>(count) * size_);
    } else {
      copy_elements(x, y, count);
    }
  }

  void copy_elements(const std::byte* x, std::byte* y, int64_t count) const {
    switch (size_) {
      case 1:
        return copy_elements<uint8_t>(x, y, count);
      case 2:
        return copy_elements<uint16_t>(x, y, count);
      case 4:
        return copy_elements<uint32_t>(x, y, count);
      default:
        return copy_elements<uint64_t>(x, y, count);
    }
  }
  template <typename T>
  void copy_elements(const std::byte* x, std::byte* y, int64_t count) const {
    const T* from = reinterpret_cast<const T*>(x);
    T* to = reinterpret_cast<T*>(y);
    const int64_t step = strides_[line_];
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * step];
  }

  const MicroKernels& micro_;
  size_t size_;  // of an element
  int64_t offset_;
  Shape shape_;
  std::vector<int64_t> strides_, out_;  // of the input and the output
  size_t line_, across_;                // dimensions: the innermost, and one that is turned with it (or itself)
};

bool is_empty(const PlanContext& c) { return std::ranges::find(c.outputs[0].shape, 0) != c.outputs[0].shape.end(); }

Plan plan_view(const PlanContext& c, const ops::StridedView& view) {
  if (is_empty(c)) return {nullptr, "no values"};
  return {std::make_unique<StridedCopy>(c.inputs[0], view), ""};
}

}  // namespace

Plan plan_transpose(const PlanContext& c) { return plan_view(c, ops::transpose_view(c.node, c.inputs[0].shape)); }

Plan plan_depth_to_space(const PlanContext& c) {
  return plan_view(c, ops::depth_to_space_view(c.node, c.inputs[0].shape));
}

Plan plan_space_to_depth(const PlanContext& c) {
  return plan_view(c, ops::space_to_depth_view(c.node, c.inputs[0].shape));
}

Plan plan_slice(const PlanContext& c) {
  std::vector<ops::InputInfo> infos;
  for (const ValueInfo& input : c.inputs) infos.push_back({input.present, input.dtype, input.shape, input.constant});
  const auto view = ops::slice_view({c.node, c.opset, infos});
  if (!view) return {nullptr, "lists that are not constant"};
  return plan_view(c, *view);
}

Plan plan_expand(const PlanContext& c) {
  const Shape& shape = c.outputs[0].shape;
  return plan_view(c, {shape, ops::broadcast_strides(c.inputs[0].shape, shape)});
}

Plan plan_copy(const PlanContext& c) {
  if (c.node.outputs.size() > 1) return {nullptr, "several outputs"};
  return plan_view(c, {c.outputs[0].shape, ops::dense_strides(c.outputs[0].shape)});
}

}  // namespace effdet::kernels::cpu
