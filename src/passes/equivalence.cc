#include "passes/equivalence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/memory.h"
#include "ops/op.h"
#include "passes/rebatch.h"
#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

using Ids = std::vector<ir::ValueId>;

constexpr double kDifferent = std::numeric_limits<double>::infinity();

/// The graph with its images reduced, or nothing where it does not fit a smaller one.
std::optional<ir::Graph> reduced(const ir::Graph& graph) {
  ir::Graph small = graph;  // constants are shared
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    if (!is_static(input.shape) || input.shape->size() != 4) continue;
    const int64_t height = (*input.shape)[2], width = (*input.shape)[3];
    if (std::max(height, width) <= kCheckSide) continue;
    if (height % kCheckSide != 0 || width % kCheckSide != 0) return std::nullopt;
    try {
      set_input_size(small, input.name, kCheckSide, kCheckSide);
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  return small;
}

bool same_outputs(const ir::Graph& a, const ir::Graph& b) {
  return std::ranges::equal(a.outputs, b.outputs, [&](ir::ValueId x, ir::ValueId y) {
    return is_static(a.value(x).shape) && a.value(x).shape == b.value(y).shape;
  });
}

void check_inputs(const ir::Graph& a, const ir::Graph& b) {
  const bool same = std::ranges::equal(a.inputs, b.inputs, [&](ir::ValueId x, ir::ValueId y) {
    const ir::Value &left = a.value(x), &right = b.value(y);
    return left.name == right.name && left.dtype == right.dtype && left.shape == right.shape;
  });
  if (!same) bad_input("graphs '{}' and '{}' take different inputs", a.name, b.name);
}

Tensor random_tensor(const ir::Value& value, std::mt19937_64& generator) {
  if (!is_static(value.shape) || value.dtype != DType::kF32)
    bad_input("input '{}' is no float32 tensor of fixed shape; give its shape", value.name);
  Tensor tensor(DType::kF32, *value.shape);
  std::normal_distribution<float> normal;
  for (float& x : tensor.mutable_data<float>()) x = normal(generator);
  return tensor;
}

/// Elements [begin, begin + count) as a list of double; as a view first, so that a large output has no second copy.
Tensor part_of(const Tensor& tensor, int64_t begin, int64_t count) {
  const std::byte* bytes = tensor.bytes().data() + static_cast<size_t>(begin) * dtype_size(tensor.dtype());
  return Tensor(tensor.dtype(), {count}, {std::shared_ptr<const std::byte>(), bytes}).to(DType::kF64);
}

double relative_difference(const Tensor& a, const Tensor& b) {
  constexpr int64_t kBlock = 1 << 14;
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return kDifferent;
  double magnitude = 0, difference = 0;
  for (int64_t begin = 0; begin < a.numel(); begin += kBlock) {
    const int64_t count = std::min(kBlock, a.numel() - begin);
    const Tensor x = part_of(a, begin, count), y = part_of(b, begin, count);
    for (int64_t i = 0; i < count; ++i) {
      const double left = x.data<double>()[i], right = y.data<double>()[i];
      if (left == right || (std::isnan(left) && std::isnan(right))) {
        if (std::isfinite(left)) magnitude = std::max(magnitude, std::abs(left));
        continue;
      }
      if (!std::isfinite(left) || !std::isfinite(right)) return kDifferent;
      magnitude = std::max(magnitude, std::abs(left));
      difference = std::max(difference, std::abs(left - right));
    }
  }
  return difference == 0 ? 0 : magnitude == 0 ? kDifferent : difference / magnitude;
}

/// What nodes read that choose: a rounding error may make them choose something else, and then all behind them differs.
Ids choices(const ir::Graph& graph) {
  constexpr std::string_view kChoosing[] = {"TopK", "ArgMax", "ArgMin", "NonMaxSuppression"};
  Ids read;
  std::vector<bool> is_read(graph.value_count(), false);
  for (const ir::Node& node : graph.nodes) {
    if (!node.domain.empty() || std::ranges::find(kChoosing, node.op) == std::end(kChoosing)) continue;
    for (const ir::ValueId id : node.inputs)
      if (id != ir::kNoValue && graph.constant(id) == nullptr && graph.value(id).dtype == DType::kF32 &&
          !is_read[static_cast<size_t>(id)]) {
        is_read[static_cast<size_t>(id)] = true;
        read.push_back(id);
      }
  }
  return read;
}

/// Makes both graphs show what their choices read, and those of the second take it from outside: what the first shows.
/// So choices are made from the same numbers, which are compared themselves. How many tensors these are.
size_t share_choices(ir::Graph& shows, ir::Graph& takes) {
  const Ids shown = choices(shows), taken = choices(takes);
  const auto same_shape = [&](ir::ValueId x, ir::ValueId y) { return shows.value(x).shape == takes.value(y).shape; };
  if (!std::ranges::equal(shown, taken, same_shape)) return 0;
  UniqueNames names(takes);
  Replacements replacements(takes);
  for (const ir::ValueId id : taken) {
    const ir::Value value = takes.value(id);
    takes.inputs.push_back(takes.add_value({names.make(value.name + "_taken"), value.dtype, value.shape, {}}));
    replacements.replace(id, takes.inputs.back());
  }
  replacements.apply(takes);
  shows.outputs.insert(shows.outputs.end(), shown.begin(), shown.end());
  takes.outputs.insert(takes.outputs.end(), taken.begin(), taken.end());
  return shown.size();
}

}  // namespace

double check_equivalence(const ir::Graph& a, const ir::Graph& b, int runs, uint64_t seed, ThreadPool* threads,
                         uint64_t memory_limit) {
  check_inputs(a, b);
  const MemoryBudget memory(memory_limit);
  const auto small_a = reduced(a), small_b = reduced(b);
  const bool reduce = small_a && small_b && same_outputs(*small_a, *small_b);
  ir::Graph left = reduce ? *small_a : a, right = reduce ? *small_b : b;  // constants are shared
  ops::infer_shapes(left);
  ops::infer_shapes(right);
  const size_t shared = share_choices(left, right);
  std::mt19937_64 generator(seed);
  double worst = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<Tensor> inputs;
    for (ir::ValueId id : left.inputs) inputs.push_back(random_tensor(left.value(id), generator));
    const auto x = ops::run_reference(left, inputs, threads);
    inputs.insert(inputs.end(), x.end() - static_cast<std::ptrdiff_t>(shared), x.end());
    const auto y = ops::run_reference(right, inputs, threads);
    if (x.size() != y.size()) return kDifferent;
    for (size_t i = 0; i < x.size(); ++i) worst = std::max(worst, relative_difference(x[i], y[i]));
  }
  return worst;
}

}  // namespace effdet::passes
