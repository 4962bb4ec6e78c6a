// Concat and Split: one side's rows are pieces of the other's.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/cpu.h"

namespace effdet::kernels::cpu {
namespace {

/// Pieces of `widths` bytes that lie side by side in each of `rows` wide rows, and each in a tensor of its own.
class Pieces {
 public:
  Pieces(const ValueInfo& whole, std::span<const ValueInfo> parts, size_t axis) {
    rows_ = 1;
    for (size_t i = 0; i < axis; ++i) rows_ *= whole.shape[i];
    const auto row_bytes = [&](const ValueInfo& value) {
      int64_t bytes = static_cast<int64_t>(dtype_size(value.dtype));
      for (size_t i = axis; i < value.shape.size(); ++i) bytes *= value.shape[i];
      return static_cast<size_t>(bytes);
    };
    row_bytes_ = row_bytes(whole);
    for (const ValueInfo& part : parts) widths_.push_back(row_bytes(part));
  }

  /// Calls copy(piece, offset in its tensor, offset in the whole, bytes) for each piece of each row, in parallel.
  template <typename F>
  void for_each(ThreadPool& threads, F&& copy) const {
    constexpr int64_t kBytes = 64 << 10;  // of a task
    const int64_t step = std::max<int64_t>(1, kBytes / std::max<int64_t>(1, static_cast<int64_t>(row_bytes_)));
    threads.parallel_for((rows_ + step - 1) / step, [&](int64_t task, int) {
      for (int64_t i = task * step; i < std::min(rows_, (task + 1) * step); ++i) {
        const auto row = static_cast<size_t>(i);
        size_t offset = row * row_bytes_;
        for (size_t piece = 0; piece < widths_.size(); offset += widths_[piece++])
          copy(piece, row * widths_[piece], offset, widths_[piece]);
      }
    });
  }

 private:
  int64_t rows_;
  size_t row_bytes_;
  std::vector<size_t> widths_;
};

class Concat : public Kernel {
 public:
  explicit Concat(Pieces pieces) : pieces_(std::move(pieces)) {}

  void run(const RunContext& context) const override {
    std::byte* whole = context.outputs[0];
    pieces_.for_each(context.threads, [&](size_t piece, size_t offset, size_t whole_offset, size_t bytes) {
      std::memcpy(whole + whole_offset, context.inputs[piece] + offset, bytes);
    });
  }

 private:
  Pieces pieces_;
};

class Split : public Kernel {
 public:
  explicit Split(Pieces pieces) : pieces_(std::move(pieces)) {}

  void run(const RunContext& context) const override {
    const std::byte* whole = context.inputs[0];
    pieces_.for_each(context.threads, [&](size_t piece, size_t offset, size_t whole_offset, size_t bytes) {
      std::memcpy(context.outputs[piece] + offset, whole + whole_offset, bytes);
    });
  }

 private:
  Pieces pieces_;
};

bool is_empty(const ValueInfo& value) { return std::ranges::count(value.shape, 0) > 0; }

size_t axis_of(const PlanContext& c) {
  const int64_t axis = c.node.get_int("axis", 0);
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(c.inputs[0].shape.size()) : axis);
}

}  // namespace

Plan plan_concat(const PlanContext& c) {
  if (std::ranges::any_of(c.inputs, is_empty)) return {nullptr, "an input of no values"};
  return {std::make_unique<Concat>(Pieces(c.outputs[0], c.inputs, axis_of(c))), ""};
}

Plan plan_split(const PlanContext& c) {
  if (std::ranges::any_of(c.outputs, is_empty)) return {nullptr, "an output of no values"};
  if (!std::ranges::all_of(c.outputs, &ValueInfo::present)) return {nullptr, "an output that nobody wants"};
  return {std::make_unique<Split>(Pieces(c.inputs[0], c.outputs, axis_of(c))), ""};
}

}  // namespace effdet::kernels::cpu
