// Runs a part of both graphs on smaller maps with the same random inputs.
#include <algorithm>
#include <map>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "ops/cost.h"
#include "ops/op.h"
#include "passes/part.h"
#include "passes/random_tensor.h"
#include "passes/rewrite.h"
#include "passes/tensor_difference.h"

namespace effdet::passes {
namespace {

constexpr int64_t kQuick = 500'000;       ///< operations that need not be reduced
constexpr int64_t kLong = 2'000'000'000;  ///< that are not done to look again at a difference
constexpr double kNoticeable = 1e-4;      ///< a difference on reduced maps that is looked at again
constexpr int64_t kSmallestSides[] = {6, 12, 24, 48};

/// How the spatial sides of maps change.
struct Reduction {
  int64_t divisor = 1;
  bool crops = false;  ///< instead: sides above 16 become 8 to 15

  bool none() const { return divisor == 1 && !crops; }
  /// The new side, or nothing where the old one cannot be divided.
  std::optional<int64_t> side(int64_t old) const {
    if (crops) return old > 16 ? 8 + old % 8 : old;
    if (old % divisor == 0) return old / divisor;
    return old == 1 ? std::optional<int64_t>(1) : std::nullopt;
  }
};

bool reduce_axis(const Reduction& reduction, int64_t& side) {
  const auto reduced = reduction.side(side);
  if (reduced) side = *reduced;
  return reduced.has_value();
}

/// Shape of an input of the part on smaller maps.
bool reduce_shape(const Reduction& reduction, Shape& shape) {
  for (size_t axis = 2; axis < shape.size(); ++axis)
    if (!reduce_axis(reduction, shape[axis])) return false;
  return true;
}

/// The sizes of a Resize along: they are baked into most exports.
bool reduce_sizes(const Reduction& reduction, ir::Graph& graph, ir::Node& node) {
  if (!node.is("Resize") || node.inputs.size() < 4) return true;
  auto sizes = int_constant(graph, node.inputs[3]);
  if (!sizes) return true;
  const auto rank = static_cast<int64_t>(sizes->size());
  std::vector<int64_t> axes(sizes->size());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  axes = node.get_ints("axes", axes);
  if (axes.size() != sizes->size()) return false;
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] >= 2 || (axes[i] < 0 && axes[i] + rank >= 2))
      if (!reduce_axis(reduction, (*sizes)[i])) return false;
  node.inputs[3] = graph.add_constant("sizes", Tensor::from<int64_t>({rank}, *sizes));
  return true;
}

/// A part and the two graphs it is of.
class Comparison {
 public:
  Comparison(const NumberedGraph& a, const NumberedGraph& b, const Part& part) : a_(a), b_(b), part_(part) {
    for (Number number : part.inputs) {
      const ir::ValueId in_a = a.value_of(number);
      const NumberedGraph& side = in_a == ir::kNoValue ? b : a;
      inputs_.push_back(side.graph.value(side.value_of(number)));
    }
  }

  /// Both cones as graphs of their own; nothing where they do not fit the reduction.
  struct Pair {
    ir::Graph a, b;
    bool reduced = false;
  };
  std::optional<Pair> build(const Reduction& reduction) const {
    std::vector<Shape> shapes;
    for (const ir::Value& input : inputs_) {
      shapes.push_back(input.shape.value_or(Shape{}));
      if (!reduce_shape(reduction, shapes.back())) return std::nullopt;
    }
    auto a = graph_of(a_, part_.a, reduction, shapes), b = graph_of(b_, part_.b, reduction, shapes);
    if (!a || !b) return std::nullopt;
    return Pair{std::move(*a), std::move(*b), !reduction.none()};
  }

  /// The first of some reductions that fits, or the part as it is. Throws Error where that contradicts itself.
  Pair smallest() const {
    Pair full = *build({});
    if (cost(full.a) + cost(full.b) <= kQuick) return full;
    for (const Reduction& reduction : reductions()) {
      try {
        auto pair = build(reduction);
        if (pair && same_shape(*pair)) return std::move(*pair);
      } catch (const Error&) {  // too small for a kernel, or a size is baked in somewhere: the next is larger
      }
    }
    return full;
  }

  static int64_t cost(const ir::Graph& graph) {
    int64_t sum = 0;
    for (const ir::Node& node : graph.nodes) {
      const bool known = std::ranges::all_of(
          node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || is_static(graph.value(id).shape); });
      if (known && is_static(graph.value(node.outputs[0]).shape)) sum += ops::cost_of(graph, node).flops;
    }
    return sum;
  }

 private:
  static bool same_shape(const Pair& pair) {
    const auto& shape = pair.a.value(pair.a.outputs[0]).shape;
    return is_static(shape) && shape == pair.b.value(pair.b.outputs[0]).shape;
  }

  std::vector<Reduction> reductions() const {
    int64_t divisor = 0, largest = 0;
    for (const ir::Value& input : inputs_)
      for (size_t axis = 2; input.shape && axis < input.shape->size(); ++axis) {
        const int64_t side = (*input.shape)[axis];
        if (side > 1) divisor = std::gcd(divisor, side);
        largest = std::max(largest, side);
      }
    std::vector<Reduction> list;
    for (int64_t smallest : kSmallestSides)
      for (int64_t d = std::min(divisor, largest / smallest); d > 1; --d)
        if (divisor % d == 0) {
          list.push_back({d});
          break;
        }
    list.push_back({1, true});
    return list;
  }

  std::optional<ir::Graph> graph_of(const NumberedGraph& side, const Cone& cone, const Reduction& reduction,
                                    const std::vector<Shape>& shapes) const {
    ir::Graph graph;
    graph.opset = side.graph.opset;
    std::map<Number, ir::ValueId> by_number;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const auto number = *std::next(part_.inputs.begin(), static_cast<std::ptrdiff_t>(i));
      by_number[number] = graph.add_input(inputs_[i].name, inputs_[i].dtype, shapes[i]);
    }
    std::map<ir::ValueId, ir::ValueId> made;
    const auto read = [&](ir::ValueId id) {
      if (id == ir::kNoValue) return id;
      if (const auto found = made.find(id); found != made.end() && !by_number.contains(side.number(id)))
        return found->second;
      const auto [place, is_new] = by_number.emplace(side.number(id), ir::kNoValue);
      if (is_new) place->second = graph.add_constant(side.graph.value(id).name, constant(side, id));
      return place->second;
    };
    for (int index : cone.nodes) {
      ir::Node node = side.graph.nodes[static_cast<size_t>(index)];
      for (ir::ValueId& id : node.inputs) id = read(id);
      for (ir::ValueId& id : node.outputs)
        if (id != ir::kNoValue) {
          const ir::Value& value = side.graph.value(id);
          const ir::ValueId copy = graph.add_value({value.name, value.dtype, std::nullopt, std::nullopt});
          made[id] = copy;
          id = copy;
        }
      if (!reduction.none() && !reduce_sizes(reduction, graph, node)) return std::nullopt;
      graph.nodes.push_back(std::move(node));
    }
    const auto target = made.find(cone.target);
    graph.outputs = {target == made.end() ? read(cone.target) : target->second};
    ops::infer_shapes(graph);
    return graph;
  }

  /// The constant of a value; it may be one in the other graph alone.
  Tensor constant(const NumberedGraph& side, ir::ValueId id) const {
    if (const Tensor* own = side.graph.constant(id)) return *own;
    for (const NumberedGraph* other : {&a_, &b_})
      if (const Tensor* found = other->graph.constant(other->value_of(side.number(id)))) return *found;
    fail(ErrorCode::kInternal, "'{}' is read by a part that does not hold it", side.graph.value(id).name);
  }

  const NumberedGraph &a_, &b_;
  const Part& part_;
  std::vector<ir::Value> inputs_;
};

bool has_number(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kF64);
  return tensor.numel() == 0 || std::ranges::any_of(wide.data<double>(), [](double x) { return !std::isnan(x); });
}

/// One comparison on random inputs. Throws Error where they are nothing that the part takes.
double run(const Comparison::Pair& pair, uint64_t seed, IntegerRange range, ThreadPool* threads) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : pair.a.inputs) inputs.push_back(random_tensor(pair.a.value(id), ++seed, range));
  const Tensor left = ops::run_reference(pair.a, inputs, threads)[0];
  const Tensor right = ops::run_reference(pair.b, inputs, threads)[0];
  if (!has_number(left)) bad_input("random input gives nothing but NaN");
  return relative_difference(left, right);
}

/// The largest difference of some runs. Whole numbers that no table has are tried with smaller ones.
double run_all(const Comparison::Pair& pair, int runs, uint64_t seed, ThreadPool* threads) {
  constexpr IntegerRange kRanges[] = {IntegerRange::kSmall, IntegerRange::kBits, IntegerRange::kZero};
  const bool has_integers =
      std::ranges::any_of(pair.a.inputs, [&](ir::ValueId id) { return has_range(pair.a.value(id).dtype); });
  double worst = 0;
  for (int i = 0; i < runs; ++i) {
    const uint64_t own_seed = seed + static_cast<uint64_t>(i) * 1'000'003;
    for (const IntegerRange range : kRanges) try {
        worst = std::max(worst, run(pair, own_seed, range, threads));
        break;
      } catch (const Error&) {
        if (!has_integers || range == IntegerRange::kZero) throw;
      }
  }
  return worst;
}

}  // namespace

PartDifference compare_part(const NumberedGraph& a, const NumberedGraph& b, const Part& part, int runs, uint64_t seed,
                            ThreadPool* threads) {
  try {
    const Comparison comparison(a, b, part);
    const Comparison::Pair pair = comparison.smallest();
    PartDifference result{run_all(pair, runs, seed, threads), pair.reduced, ""};
    if (!pair.reduced || result.difference <= kNoticeable) return result;
    const Comparison::Pair full = *comparison.build({});
    if (Comparison::cost(full.a) + Comparison::cost(full.b) > kLong) return result;
    return {run_all(full, runs, seed, threads), false, ""};
  } catch (const Error& error) {
    return {kDifferent, false, error.what()};
  }
}

}  // namespace effdet::passes
