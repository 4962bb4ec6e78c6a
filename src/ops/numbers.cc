// Sums along an axis, unit matrices and sums of products by indices.
#include <algorithm>
#include <map>

#include "base/checked.h"
#include "ops/cast.h"
#include "ops/operators.h"
#include "ops/strided.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_cumsum(const InferContext& c) {
  require_number(c);
  require_index(c, 1);
  if (c.shape(0) && c.value(1) != nullptr)
    normalize_axis(c.node, static_cast<int64_t>(scalar_value(c.node, *c.value(1), "axis")),
                   static_cast<int64_t>(c.shape(0)->size()));
  return infer_like_input(c);
}

void evaluate_cumsum(const EvalContext& c) {
  const auto axis = static_cast<size_t>(normalize_axis(
      c.node, static_cast<int64_t>(scalar_value(c.node, c.input(1), "axis")), static_cast<int64_t>(c.input(0).rank())));
  const AxisView view = view_around(c.input(0).shape(), axis);
  const bool exclusive = c.node.get_int("exclusive", 0) != 0, reverse = c.node.get_int("reverse", 0) != 0;
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    const T* x = wide.input(0).template data<T>().data();
    T* y = wide.output().template mutable_data<T>().data();
    for (int64_t line = 0; line < view.outer * view.inner; ++line) {
      const int64_t start = line / view.inner * view.count * view.inner + line % view.inner;
      T sum = 0;
      for (int64_t i = 0; i < view.count; ++i) {
        const int64_t at = start + (reverse ? view.count - 1 - i : i) * view.inner;
        const T next = wrapping(sum, x[at], [](auto a, auto b) { return a + b; });
        y[at] = exclusive ? sum : next;
        sum = next;
      }
    }
  });
}

std::vector<Inferred> infer_eye_like(const InferContext& c) {
  const int64_t code = c.node.get_int("dtype", 0);
  if (c.shape(0) && c.shape(0)->size() != 2) node_error(c.node, "shape {} is no matrix", shape_text(*c.shape(0)));
  return {{code == 0 ? c.dtype(0) : dtype_of_onnx(c.node, code), c.shape(0)}};
}

void evaluate_eye_like(const EvalContext& c) {
  const Shape& shape = c.output().shape();
  const int64_t k = std::clamp(c.node.get_int("k", 0), -shape[0] - 1, shape[1] + 1);
  Tensor result(DType::kF32, shape);
  for (int64_t row = std::max<int64_t>(0, -k); row < shape[0] && row + k < shape[1]; ++row)
    result.mutable_data<float>()[static_cast<size_t>(row * shape[1] + row + k)] = 1;
  c.output() = result.to(c.output().dtype());
}

/// An equation "ij,jk->ik" taken apart: for each operand and for the output the number of each dimension's letter.
/// An ellipsis becomes letters of its own, aligned at its last dimension.
struct Equation {
  std::vector<std::vector<int>> operands;
  std::vector<int> output;
  int letters = 0;
};

constexpr int kEllipsis = 1000;  // letters of the ellipsis count from its last dimension: kEllipsis + 0, 1, ...

std::vector<int> letters_of(const ir::Node& node, std::string_view term, size_t ellipsis_rank) {
  std::vector<int> letters;
  for (size_t i = 0; i < term.size(); ++i) {
    if (term.substr(i).starts_with("...")) {
      for (size_t d = ellipsis_rank; d-- > 0;) letters.push_back(kEllipsis + static_cast<int>(d));
      i += 2;
    } else if ((term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z')) {
      letters.push_back(term[i]);
    } else {
      node_error(node, "equation: '{}' holds what is no letter", term);
    }
  }
  return letters;
}

Equation parse_equation(const ir::Node& node, const std::vector<size_t>& ranks) {
  std::string text = node.get_string("equation", "");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  size_t begin = 0, widest = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const size_t end = i + 1 < ranks.size() ? left.find(',', begin) : left.size();
    if (end == std::string::npos || begin > left.size())
      node_error(node, "equation '{}' for {} inputs", text, ranks.size());
    const std::string_view term = std::string_view(left).substr(begin, end - begin);
    const size_t named = term.size() - (term.find("...") == std::string_view::npos ? 0 : 3);
    const bool open = named != term.size();
    if (open ? named > ranks[i] : named != ranks[i])
      node_error(node, "equation: '{}' for {} dimensions", term, ranks[i]);
    widest = std::max(widest, open ? ranks[i] - named : 0);
    equation.operands.push_back(letters_of(node, term, ranks[i] - named));
    begin = end + 1;
  }
  if (arrow != std::string::npos) {
    equation.output = letters_of(node, std::string_view(text).substr(arrow + 2), widest);
    return equation;
  }
  // Without "->": the ellipsis, then the letters that appear once, in alphabetical order.
  std::map<int, int> seen;
  for (const auto& operand : equation.operands)
    for (int letter : operand) ++seen[letter];
  for (size_t d = widest; d-- > 0;) equation.output.push_back(kEllipsis + static_cast<int>(d));
  for (const auto& [letter, count] : seen)
    if (letter < kEllipsis && count == 1) equation.output.push_back(letter);
  return equation;
}

/// The size of each letter; kBadInput where two operands disagree. A 1 stretches.
std::map<int, int64_t> letter_sizes(const ir::Node& node, const Equation& equation, const std::vector<Shape>& shapes) {
  std::map<int, int64_t> sizes;
  for (size_t i = 0; i < shapes.size(); ++i)
    for (size_t d = 0; d < shapes[i].size(); ++d) {
      int64_t& size = sizes.emplace(equation.operands[i][d], 1).first->second;
      if (size != 1 && shapes[i][d] != 1 && size != shapes[i][d])
        node_error(node, "equation: a letter is {} and {}", size, shapes[i][d]);
      if (size == 1) size = shapes[i][d];
    }
  for (size_t i = 0; i < equation.output.size(); ++i) {
    if (!sizes.contains(equation.output[i])) node_error(node, "equation: an output's letter is in no input");
    if (std::ranges::count(equation.output, equation.output[i]) > 1)
      node_error(node, "equation: an output's letter twice");
  }
  return sizes;
}

std::vector<Inferred> infer_einsum(const InferContext& c) {
  require_number(c);
  require_same_types(c, c.inputs.size());
  std::vector<size_t> ranks;
  std::vector<Shape> shapes;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.shape(i)) return {{c.dtype(0), std::nullopt}};
    ranks.push_back(c.shape(i)->size());
    shapes.push_back(*c.shape(i));
  }
  const Equation equation = parse_equation(c.node, ranks);
  if (!std::ranges::all_of(shapes, is_known)) return {{c.dtype(0), Shape(equation.output.size(), -1)}};
  const auto sizes = letter_sizes(c.node, equation, shapes);
  Shape result, space;
  for (int letter : equation.output) result.push_back(sizes.at(letter));
  for (const auto& [letter, size] : sizes) space.push_back(size);
  constexpr uint64_t kMostProducts = uint64_t{1} << 40;  // hours; and below what could wrap
  if (const auto products = checked_numel(space); !products || *products > kMostProducts)
    node_error(c.node, "an equation over {} is too large", shape_text(space));
  return {{c.dtype(0), result}};
}

/// Every combination of the letters, the output's outermost: slow, and right for any equation.
void evaluate_einsum(const EvalContext& c) {
  std::vector<size_t> ranks;
  std::vector<Shape> shapes;
  for (const Tensor* input : c.inputs) {
    ranks.push_back(input->rank());
    shapes.push_back(input->shape());
  }
  const Equation equation = parse_equation(c.node, ranks);
  const auto sizes = letter_sizes(c.node, equation, shapes);
  std::vector<int> order = equation.output;
  for (const auto& [letter, size] : sizes)
    if (std::ranges::find(order, letter) == order.end()) order.push_back(letter);
  Shape space;
  for (int letter : order) space.push_back(sizes.at(letter));
  const int64_t total = dims_product(space, 0, space.size());
  const int64_t inner = dims_product(space, equation.output.size(), space.size());
  std::vector<std::vector<int64_t>> strides;  // of each operand by letter
  for (size_t i = 0; i < shapes.size(); ++i) {
    const std::vector<int64_t> dense = dense_strides(shapes[i]);
    std::vector<int64_t> own(order.size(), 0);
    for (size_t d = 0; d < shapes[i].size(); ++d)
      if (shapes[i][d] != 1)
        own[static_cast<size_t>(std::ranges::find(order, equation.operands[i][d]) - order.begin())] += dense[d];
    strides.push_back(own);
  }
  with_arithmetic_type(c, [&](const EvalContext& wide, auto type) {
    using T = decltype(type);
    T* out = wide.output().template mutable_data<T>().data();
    std::vector<int64_t> index(order.size(), 0);
    for (int64_t n = 0; n < total; ++n) {
      T product = 1;
      for (size_t i = 0; i < strides.size(); ++i) {
        int64_t position = 0;
        for (size_t d = 0; d < order.size(); ++d) position += index[d] * strides[i][d];
        product = wrapping(product, wide.input(i).template data<T>()[static_cast<size_t>(position)],
                           [](auto a, auto b) { return a * b; });
      }
      out[n / inner] = wrapping(out[n / inner], product, [](auto a, auto b) { return a + b; });
      for (size_t d = order.size(); d-- > 0;) {
        if (++index[d] < space[d]) break;
        index[d] = 0;
      }
    }
  });
}

constexpr int kMostOperands = 64;

}  // namespace

std::span<const Operator> numbers_operators() {
  static constexpr Card kEinsum{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "CumSum", 2, 2, infer_cumsum, evaluate_cumsum, kMixes, 11},
      {"", "EyeLike", 1, 1, infer_eye_like, evaluate_eye_like, kMixes, 9},
      {"", "Einsum", 1, kMostOperands, infer_einsum, evaluate_einsum, kEinsum, 12},
  };
  return kOperators;
}

}  // namespace effdet::ops
