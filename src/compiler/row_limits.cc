// Limits of shapes, from operator to operator: of rules that never give more where they get less.
#include "compiler/row_limits.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "compiler/match.h"
#include "compiler/size_numbers.h"
#include "ops/op.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using Limit = std::optional<Shape>;

class Limits {
 public:
  explicit Limits(const ir::Graph& graph)
      : graph_(graph), limits_(graph.value_count()), numbers_(graph, [this](ir::ValueId id) { return limit(id); }) {
    for (size_t i = 0; i < limits_.size(); ++i) {
      const auto& shape = graph.value(static_cast<ir::ValueId>(i)).shape;
      if (passes::is_static(shape)) limits_[i] = shape;
    }
    for (const ir::Node& node : graph.nodes) visit(node);
  }

  std::vector<Limit> take() && { return std::move(limits_); }

 private:
  void visit(const ir::Node& node) {
    const bool is_open =
        std::ranges::any_of(node.outputs, [&](ir::ValueId id) { return id != ir::kNoValue && !limit(id); });
    std::vector<Limit> found = is_open ? limits_of(node) : std::vector<Limit>{};
    for (size_t i = 0; i < node.outputs.size() && i < found.size(); ++i)
      if (node.outputs[i] != ir::kNoValue && !limit(node.outputs[i])) set(node.outputs[i], std::move(found[i]));
    numbers_.visit(node);
  }

  /// Where inference knows a dimension, that is it.
  void set(ir::ValueId id, Limit found) {
    const auto& shape = graph_.value(id).shape;
    if (!found || (shape && shape->size() != found->size())) return;
    for (size_t k = 0; shape && k < shape->size(); ++k)
      if ((*shape)[k] >= 0) (*found)[k] = (*shape)[k];
    if (is_possible(found)) limits_[static_cast<size_t>(id)] = std::move(found);
  }

  static bool is_possible(const Limit& shape) {
    const auto count = shape ? checked_numel(*shape) : std::nullopt;
    return count && *count <= static_cast<uint64_t>(ops::kMaxElements);
  }

  const Limit& limit(ir::ValueId id) const { return limits_[static_cast<size_t>(id)]; }
  /// Of an input; nothing also where it is absent.
  Limit limit(const ir::Node& node, size_t i) const {
    return has_input(node, i) ? limit(node.inputs[i]) : std::nullopt;
  }
  std::optional<std::vector<int64_t>> ints(const ir::Node& node, size_t i) const {
    return i < node.inputs.size() ? passes::int_constant(graph_, node.inputs[i]) : std::nullopt;
  }

  std::optional<SizeNumbers::Numbers> numbers(const ir::Node& node, size_t i) const {
    return i < node.inputs.size() ? numbers_.find(node.inputs[i]) : std::nullopt;
  }

  std::vector<Limit> limits_of(const ir::Node& node) {
    if (is_fused(node, "Choose")) return {of_choice(node)};
    if (!node.domain.empty()) return {};
    if (node.op == "NonMaxSuppression") return {of_suppression(node)};
    if (node.op == "NonZero") return {of_non_zero(node)};
    if (node.op == "Compress") return {of_compress(node)};
    if (node.op == "Unique") return of_unique(node);
    if (node.op == "Slice") return {of_slice(node)};
    if (node.op == "Concat") return {of_concat(node)};
    if (node.op == "TopK") return of_top_k(node);
    if (node.op == "Pad") return {of_pad(node)};
    if (node.op == "Split") return of_split(node);
    if (node.op == "Range") return {of_range(node)};
    if (node.op == "Expand" || node.op == "ConstantOfShape" || node.op == "Reshape") return {of_list(node)};
    if (ops::card_of(node).batch == ops::Batch::kByElement) return {of_elements(node)};
    // What these give grows with each dimension of what they read, and with nothing else where lists are constants.
    constexpr std::string_view kGrowing[] = {
        "ArgMax",    "ArgMin",          "AveragePool",    "Cast",      "Conv",      "ConvTranspose",
        "Flatten",   "Gather",          "GatherElements", "GatherND",  "Gemm",      "GlobalAveragePool",
        "MatMul",    "MaxPool",         "OneHot",         "ReduceL1",  "ReduceL2",  "ReduceMax",
        "ReduceMin", "ReduceMean",      "ReduceProd",     "ReduceSum", "RoiAlign",  "ReduceSumSquare",
        "ScatterND", "ScatterElements", "Squeeze",        "Tile",      "Transpose", "Unsqueeze"};
    const bool is_known = std::ranges::find(kGrowing, node.op) != std::end(kGrowing) || keeps_shape(node);
    return is_known ? of_inference(node, limit(node, 0)) : std::vector<Limit>{};
  }

  /// Whether it gives what it reads in its shape: at the limit, and with one of what may be any number.
  bool keeps_shape(const ir::Node& node) const {
    const Limit x = limit(node, 0);
    const auto& shape = x ? graph_.value(node.inputs[0]).shape : x;
    if (!x || !shape || shape->size() != x->size()) return false;
    Shape one = *shape;
    std::ranges::replace_if(
        one, [](int64_t dim) { return dim < 0; }, 1);
    const std::vector<Limit> most = of_inference(node, x), least = of_inference(node, one);
    return !most.empty() && !least.empty() && most[0] == x && least[0] == one;
  }

  /// What shape inference says of the largest inputs, and this one for the first.
  std::vector<Limit> of_inference(const ir::Node& node, const Limit& first) const {
    std::vector<ops::InputInfo> infos;
    for (const ir::ValueId id : node.inputs) {
      ops::InputInfo& info = infos.emplace_back();
      if (id == ir::kNoValue) continue;
      info = {.present = true, .dtype = graph_.value(id).dtype, .shape = limit(id), .value = graph_.constant(id)};
      if (infos.size() == 1) info.shape = first;
    }
    std::vector<Limit> found;
    try {
      for (ops::Inferred& output : ops::infer_node(node, graph_.opset, infos))
        found.push_back(passes::is_static(output.shape) ? std::move(output.shape) : std::nullopt);
    } catch (const Error&) {
      return {};  // limits that do not fit each other, where what they are limits of may
    }
    return found;
  }

  /// Of each image and class at most so many boxes.
  Limit of_suppression(const ir::Node& node) const {
    const Limit scores = limit(node, 1);
    if (!scores || scores->size() != 3) return std::nullopt;
    const auto most = ints(node, 2);
    int64_t boxes = (*scores)[2];
    if (!has_input(node, 2)) boxes = 0;  // ONNX's default
    if (most && most->size() == 1) boxes = std::clamp<int64_t>(most->front(), 0, boxes);
    const auto rows = checked_numel(Shape{(*scores)[0], (*scores)[1], boxes});
    if (!rows || *rows > static_cast<uint64_t>(ops::kMaxElements)) return std::nullopt;
    return Shape{static_cast<int64_t>(*rows), 3};
  }

  Limit of_non_zero(const ir::Node& node) const {
    const Limit x = limit(node, 0);
    if (!x) return std::nullopt;
    return Shape{static_cast<int64_t>(x->size()), static_cast<int64_t>(checked_numel(*x).value_or(0))};
  }

  Limit of_compress(const ir::Node& node) const {
    const Limit x = limit(node, 0);
    if (!x || node.find("axis") != nullptr) return x;
    return Shape{static_cast<int64_t>(checked_numel(*x).value_or(0))};
  }

  /// All may differ: elements, or rows along the axis; then three lists of one number each.
  std::vector<Limit> of_unique(const ir::Node& node) const {
    const Limit x = limit(node, 0);
    if (!x) return {};
    Shape rows{static_cast<int64_t>(checked_numel(*x).value_or(0))};
    if (node.find("axis") == nullptr) return {rows, rows, rows, rows};
    const auto axis = place_of_axis(node.get_int("axis", 0), x->size());
    if (!axis) return {};
    rows[0] = (*x)[*axis];
    return {x, rows, rows, rows};
  }

  /// No more than there was, and no more than lies between two numbers from the front.
  Limit of_slice(const ir::Node& node) const {
    Limit x = limit(node, 0);
    const auto starts = numbers(node, 1), ends = numbers(node, 2);
    if (!x || !starts || !ends || starts->size() != ends->size()) return x;
    std::vector<int64_t> axes, steps(starts->size(), 1);
    for (size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<int64_t>(i));
    if (has_input(node, 3)) axes = ints(node, 3).value_or(std::vector<int64_t>{});
    if (has_input(node, 4)) steps = ints(node, 4).value_or(std::vector<int64_t>{});
    if (axes.size() != starts->size() || steps.size() != starts->size()) return x;
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto axis = place_of_axis(axes[i], x->size());
      const int64_t first = numbers_.low((*starts)[i]), end = numbers_.high((*ends)[i]);
      if (!axis || first < 0 || numbers_.low((*ends)[i]) < 0 || steps[i] != 1) continue;
      int64_t& dim = (*x)[*axis];
      dim = std::min(dim, std::max<int64_t>(end - first, 0));
    }
    return x;
  }

  Limit of_concat(const ir::Node& node) const {
    Limit all;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Limit part = limit(node, i);
      if (!part) return std::nullopt;
      const auto axis = place_of_axis(node.get_int("axis", 0), part->size());
      if (!axis || (all && all->size() != part->size())) return std::nullopt;
      if (!all) {
        all = part;
        continue;
      }
      for (size_t k = 0; k < part->size(); ++k)
        (*all)[k] = k == *axis ? (*all)[k] + (*part)[k] : std::max((*all)[k], (*part)[k]);
    }
    return all;
  }

  std::vector<Limit> of_top_k(const ir::Node& node) const {
    Limit x = limit(node, 0);
    const auto count = numbers(node, 1);
    if (x && count && count->size() == 1) {
      const auto axis = place_of_axis(node.get_int("axis", -1), x->size());
      if (!axis) return {};
      (*x)[*axis] = std::max<int64_t>(numbers_.high(count->front()), 0);
    }
    return {x, x};
  }

  /// Sizes that are constants; else no part is larger than the whole.
  std::vector<Limit> of_split(const ir::Node& node) const {
    const Limit x = limit(node, 0);
    const auto axis = x ? place_of_axis(node.get_int("axis", 0), x->size()) : std::nullopt;
    if (!axis) return {};
    auto sizes = ints(node, 1);
    if (!sizes && node.find("split") != nullptr) sizes = node.get_ints("split", {});
    std::vector<Limit> parts(node.outputs.size(), x);
    for (size_t i = 0; sizes && i < parts.size() && i < sizes->size(); ++i)
      (*parts[i])[*axis] = std::max<int64_t>((*sizes)[i], 0);
    return parts;
  }

  /// What is there, before and after together: padding up to a fixed number of rows has that limit.
  Limit of_pad(const ir::Node& node) {
    Limit x = limit(node, 0);
    if (!x || has_input(node, 3)) return std::nullopt;
    const auto pads = numbers(node, 1);
    if (!pads || pads->size() != 2 * x->size()) return std::nullopt;
    for (size_t axis = 0; axis < x->size(); ++axis) {
      const auto size = numbers_.size_of(node.inputs[0], axis);
      const auto part = size ? numbers_.sum(*size, (*pads)[axis]) : std::nullopt;
      const auto all = part ? numbers_.sum(*part, (*pads)[axis + x->size()]) : std::nullopt;
      if (!all) return std::nullopt;
      (*x)[axis] = std::max<int64_t>(numbers_.high(*all), 0);
    }
    return x;
  }

  Limit of_range(const ir::Node& node) {
    const auto start = numbers(node, 0), end = numbers(node, 1);
    if (!start || !end || start->size() != 1 || end->size() != 1 || ints(node, 2) != std::vector<int64_t>{1})
      return std::nullopt;
    return Shape{std::max<int64_t>(numbers_.high(end->front()) - numbers_.low(start->front()), 0)};
  }

  /// The shape that a list asks for.
  Limit of_list(const ir::Node& node) const {
    const bool is_shape_alone = node.op == "ConstantOfShape";
    const Limit x = is_shape_alone ? Limit(Shape{}) : limit(node, 0);
    const auto list = numbers(node, is_shape_alone ? 0 : 1);
    if (!x || !list) return std::nullopt;
    if (node.op == "Reshape") return of_reshape(node, *x, *list);
    Shape dims;
    for (const SizeNumber& number : *list) dims.push_back(std::max<int64_t>(numbers_.high(number), 0));
    widen(dims, *x);
    return dims;
  }

  /// 0 copies a dimension; -1 is what is left of those that are neither copied nor said.
  Limit of_reshape(const ir::Node& node, const Shape& x, const SizeNumbers::Numbers& list) const {
    Shape dims, left = x;
    std::optional<size_t> open;
    int64_t said = 1;
    for (size_t k = 0; k < list.size(); ++k) {
      const SizeNumber& number = list[k];
      const bool is_constant = number.factor == 0;
      if (is_constant && number.base == -1 && !open) {
        open = k;
        dims.push_back(1);
      } else if (is_constant && number.base == 0 && node.get_int("allowzero", 0) == 0) {
        if (k >= x.size()) return std::nullopt;
        dims.push_back(x[k]);
        left[k] = 1;
      } else {
        dims.push_back(std::max<int64_t>(numbers_.high(number), 0));
        if (is_constant && said <= ops::kMaxElements) said *= dims.back();
      }
    }
    const auto elements = checked_numel(left);
    if (!elements) return std::nullopt;
    // Sizes that are not known count as one, so that there is room for what may be left.
    if (open) dims[*open] = static_cast<int64_t>(*elements) / std::max<int64_t>(said, 1);
    return dims;
  }

  /// Whichever is larger.
  Limit of_choice(const ir::Node& node) const {
    Limit x = limit(node, 1);
    const Limit y = limit(node, 2);
    if (!x || !y || x->size() != y->size()) return std::nullopt;
    widen(*x, *y);
    return x;
  }

  /// Makes a shape as large as another one in each dimension, from the last, as broadcasting does.
  static void widen(Shape& shape, const Shape& other) {
    if (other.size() > shape.size()) shape.insert(shape.begin(), other.size() - shape.size(), 1);
    const size_t skip = shape.size() - other.size();
    for (size_t k = 0; k < other.size(); ++k) shape[skip + k] = std::max(shape[skip + k], other[k]);
  }

  /// Broadcasting: in each dimension the largest.
  Limit of_elements(const ir::Node& node) const {
    Shape all;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNoValue) continue;
      const Limit x = limit(node, i);
      if (!x) return std::nullopt;
      widen(all, *x);
    }
    return all;
  }

  const ir::Graph& graph_;
  std::vector<Limit> limits_;
  SizeNumbers numbers_;
};

}  // namespace

std::vector<std::optional<Shape>> shape_limits(const ir::Graph& graph) { return Limits(graph).take(); }

}  // namespace effdet::compiler
