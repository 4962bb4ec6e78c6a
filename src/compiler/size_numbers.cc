// Numbers by interval, and by the size that they follow from where an operator keeps that.
#include "compiler/size_numbers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "compiler/match.h"
#include "ops/op.h"
#include "ops/util.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// Shape arithmetic works on a handful of numbers; anything larger is data.
constexpr int64_t kMostNumbers = 64;
/// Magnitude of all numbers, so that sums and products of two of them are far from the end of 64 bits.
constexpr int64_t kMostNumber = int64_t{1} << 30;

bool holds_whole_numbers(DType type) {
  return type == DType::kI32 || type == DType::kI64 || type == DType::kF32 || type == DType::kF64;
}

/// Those of a constant, where all are whole and small.
std::optional<SizeNumbers::Numbers> of_constant(const Tensor& tensor) {
  if (!holds_whole_numbers(tensor.dtype()) || tensor.numel() > kMostNumbers) return std::nullopt;
  SizeNumbers::Numbers numbers;
  const Tensor wide = tensor.to(DType::kF64);
  for (const double x : wide.data<double>()) {
    if (!(std::abs(x) <= static_cast<double>(kMostNumber)) || x != std::trunc(x)) return std::nullopt;
    numbers.push_back({.base = static_cast<int64_t>(x)});
  }
  return numbers;
}

}  // namespace

SizeNumbers::SizeNumbers(const ir::Graph& graph, ShapeLimit shape_limit)
    : graph_(graph), shape_limit_(std::move(shape_limit)) {}

int64_t SizeNumbers::low(const SizeNumber& x) const {
  if (x.factor == 0) return x.base;
  const Range& size = sizes_[x.size];
  return x.base + x.factor * (x.factor > 0 ? size.low : size.high);
}

int64_t SizeNumbers::high(const SizeNumber& x) const {
  if (x.factor == 0) return x.base;
  const Range& size = sizes_[x.size];
  return x.base + x.factor * (x.factor > 0 ? size.high : size.low);
}

/// All numbers are. Checks what limits the rest's arithmetic first.
bool SizeNumbers::is_small(const SizeNumber& x) const {
  const auto fits = [](int64_t value) { return value >= -kMostNumber && value <= kMostNumber; };
  return fits(x.base) && fits(x.factor) && fits(low(x)) && fits(high(x));
}

std::optional<SizeNumber> SizeNumbers::between(int64_t low, int64_t high) {
  if (low == high) return SizeNumber{.base = low};
  sizes_.push_back({low, high});
  const SizeNumber number{.base = 0, .factor = 1, .size = sizes_.size() - 1};
  return is_small(number) ? std::optional(number) : std::nullopt;
}

std::optional<SizeNumber> SizeNumbers::size_of(ir::ValueId id, size_t axis) {
  const auto& shape = graph_.value(id).shape;
  if (shape && axis < shape->size() && (*shape)[axis] >= 0) {
    const SizeNumber number{.base = (*shape)[axis]};
    return is_small(number) ? std::optional(number) : std::nullopt;
  }
  if (const auto known = size_numbers_.find({id, axis}); known != size_numbers_.end()) return known->second;
  const auto limit = shape_limit_(id);
  if (!limit || axis >= limit->size()) return std::nullopt;
  const auto number = between(0, (*limit)[axis]);
  if (number) size_numbers_.emplace(std::pair(id, axis), *number);
  return number;
}

std::optional<SizeNumber> SizeNumbers::sum(const SizeNumber& a, const SizeNumber& b) {
  SizeNumber both{a.base + b.base, a.factor + b.factor, a.factor != 0 ? a.size : b.size};
  if (a.factor != 0 && b.factor != 0 && a.size != b.size) return between(low(a) + low(b), high(a) + high(b));
  return is_small(both) ? std::optional(both) : std::nullopt;
}

std::optional<SizeNumber> SizeNumbers::scaled(const SizeNumber& x, int64_t factor) const {
  const SizeNumber number{x.base * factor, x.factor * factor, x.size};
  return is_small(number) ? std::optional(number) : std::nullopt;
}

std::optional<SizeNumber> SizeNumbers::product(const SizeNumber& a, const SizeNumber& b) const {
  if (a.factor == 0) return scaled(b, a.base);
  if (b.factor == 0) return scaled(a, b.base);
  return std::nullopt;
}

std::optional<SizeNumber> SizeNumbers::lesser(const SizeNumber& a, const SizeNumber& b) {
  if (high(a) <= low(b)) return a;
  if (high(b) <= low(a)) return b;
  return between(std::min(low(a), low(b)), std::min(high(a), high(b)));
}

std::optional<SizeNumber> SizeNumbers::greater(const SizeNumber& a, const SizeNumber& b) {
  if (high(a) <= low(b)) return b;
  if (high(b) <= low(a)) return a;
  return between(std::max(low(a), low(b)), std::max(high(a), high(b)));
}

std::optional<SizeNumbers::Numbers> SizeNumbers::find(ir::ValueId id) const {
  if (id == ir::kNoValue) return std::nullopt;
  if (const Tensor* constant = graph_.constant(id)) return of_constant(*constant);
  const auto found = numbers_.find(id);
  return found != numbers_.end() ? std::optional(found->second) : std::nullopt;
}

void SizeNumbers::visit(const ir::Node& node) {
  if (!node.domain.empty() || node.outputs.size() != 1 || node.inputs.empty()) return;
  keep_sizes(node);
  if (!holds_whole_numbers(graph_.value(node.outputs[0]).dtype)) return;
  auto made = made_by(node);
  if (made && static_cast<int64_t>(made->size()) <= kMostNumbers) numbers_[node.outputs[0]] = *std::move(made);
}

/// What has a row for each row of something else has as many.
void SizeNumbers::keep_sizes(const ir::Node& node) {
  const auto& made = graph_.value(node.outputs[0]).shape;
  const auto& read = graph_.value(node.inputs[0]).shape;
  if (!made || !read) return;
  const auto keep = [&](ir::ValueId id, size_t from, size_t to) {
    if ((*made)[to] >= 0) return;
    if (const auto size = size_of(id, from)) size_numbers_.emplace(std::pair(node.outputs[0], to), *size);
  };
  const bool is_one_by_one = node.inputs.size() == 1 && ops::card_of(node).batch == ops::Batch::kByElement;
  if (is_one_by_one && made->size() == read->size())
    for (size_t k = 0; k < made->size(); ++k) keep(node.inputs[0], k, k);
  if (node.op != "Gather" || !graph_.value(node.inputs[1]).shape) return;
  const size_t rank = graph_.value(node.inputs[1]).shape->size();
  const auto axis = place_of_axis(node.get_int("axis", 0), read->size());
  if (!axis || made->size() + 1 != read->size() + rank) return;
  for (size_t k = 0; k < *axis; ++k) keep(node.inputs[0], k, k);
  for (size_t k = 0; k < rank; ++k) keep(node.inputs[1], k, *axis + k);
  for (size_t k = *axis + 1; k < read->size(); ++k) keep(node.inputs[0], k, k + rank - 1);
}

std::optional<SizeNumbers::Numbers> SizeNumbers::made_by(const ir::Node& node) {
  if (node.op == "Shape") return shape(node);
  constexpr std::string_view kMoving[] = {"Concat", "Gather",  "Identity",  "Reshape",
                                          "Slice",  "Squeeze", "Transpose", "Unsqueeze"};
  if (std::ranges::find(kMoving, node.op) != std::end(kMoving)) return moved(node);
  if (node.op == "Cast") return find(node.inputs[0]);
  if (node.op == "Clip" || node.op == "Relu") return clipped(node);
  if (node.op.starts_with("Reduce") && node.op != "ReduceSumSquare" && !node.op.starts_with("ReduceL")) {
    const auto one = find(node.inputs[0]);  // of one number: itself
    return one && one->size() == 1 ? one : std::nullopt;
  }
  return combined(node);
}

std::optional<SizeNumbers::Numbers> SizeNumbers::shape(const ir::Node& node) {
  const auto limit = shape_limit_(node.inputs[0]);
  if (!limit) return std::nullopt;
  const auto [begin, end] = ops::shape_range(node, limit->size());
  Numbers numbers;
  for (size_t axis = begin; axis < end; ++axis) {
    const auto number = size_of(node.inputs[0], axis);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

/// Of an operator that only moves elements: it moves their places, too.
std::optional<SizeNumbers::Numbers> SizeNumbers::moved(const ir::Node& node) const {
  Numbers all;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ir::ValueId id = node.inputs[i];
    const bool is_data = i == 0 || node.op == "Concat";  // other inputs say where to
    const Tensor* constant = id != ir::kNoValue ? graph_.constant(id) : nullptr;
    if (id != ir::kNoValue && !is_data && constant == nullptr) return std::nullopt;
    if (!is_data) {
      inputs.push_back(constant != nullptr ? *constant : Tensor());
      continue;
    }
    const auto numbers = find(id);
    const auto& shape = graph_.value(id).shape;
    if (!numbers || !passes::is_static(shape) || *checked_numel(*shape) != numbers->size()) return std::nullopt;
    Tensor places(DType::kI64, *shape);
    std::iota(places.mutable_data<int64_t>().begin(), places.mutable_data<int64_t>().end(),
              static_cast<int64_t>(all.size()));
    all.insert(all.end(), numbers->begin(), numbers->end());
    inputs.push_back(std::move(places));
  }
  std::vector<const Tensor*> pointers;
  for (size_t i = 0; i < inputs.size(); ++i) pointers.push_back(node.inputs[i] != ir::kNoValue ? &inputs[i] : nullptr);
  const Tensor places = ops::evaluate_node(node, graph_.opset, pointers)[0];
  if (places.numel() > kMostNumbers) return std::nullopt;
  Numbers numbers;
  for (const int64_t place : places.data<int64_t>()) numbers.push_back(all[static_cast<size_t>(place)]);
  return numbers;
}

std::optional<SizeNumbers::Numbers> SizeNumbers::clipped(const ir::Node& node) {
  auto numbers = find(node.inputs[0]);
  if (!numbers || !node.attributes.empty()) return std::nullopt;
  const auto limit_by = [&](const SizeNumber& least, auto&& rule) {
    for (SizeNumber& number : *numbers) {
      const std::optional<SizeNumber> next = rule(number, least);
      if (!next) return false;
      number = *next;
    }
    return true;
  };
  const auto larger = [&](const SizeNumber& a, const SizeNumber& b) { return greater(a, b); };
  const auto smaller = [&](const SizeNumber& a, const SizeNumber& b) { return lesser(a, b); };
  if (node.op == "Relu" && !limit_by({}, larger)) return std::nullopt;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ir::kNoValue) continue;
    const auto given = find(node.inputs[i]);
    if (!given || given->size() != 1) return std::nullopt;
    if (!(i == 1 ? limit_by(given->front(), larger) : limit_by(given->front(), smaller))) return std::nullopt;
  }
  return numbers;
}

/// Add, Sub, Mul, Min and Max of two lists, or of a list and one number.
std::optional<SizeNumbers::Numbers> SizeNumbers::combined(const ir::Node& node) {
  constexpr std::string_view kCombining[] = {"Add", "Sub", "Mul", "Min", "Max"};
  if (node.inputs.size() != 2 || std::ranges::find(kCombining, node.op) == std::end(kCombining)) return std::nullopt;
  const auto a = find(node.inputs[0]), b = find(node.inputs[1]);
  if (!a || !b || a->empty() || b->empty() || (a->size() != b->size() && a->size() != 1 && b->size() != 1))
    return std::nullopt;
  Numbers numbers;
  for (size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
    const SizeNumber &x = (*a)[a->size() == 1 ? 0 : i], &y = (*b)[b->size() == 1 ? 0 : i];
    std::optional<SizeNumber> both;
    if (node.op == "Add") both = sum(x, y);
    if (node.op == "Sub") both = sum(x, {-y.base, -y.factor, y.size});
    if (node.op == "Mul") both = product(x, y);
    if (node.op == "Min") both = lesser(x, y);
    if (node.op == "Max") both = greater(x, y);
    if (!both) return std::nullopt;
    numbers.push_back(*both);
  }
  return numbers;
}

}  // namespace effdet::compiler
