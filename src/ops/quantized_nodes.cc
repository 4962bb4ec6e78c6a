// QLinearConv, QLinearMatMul, and ONNX Runtime's operators on quantized tensors.
#include "ops/quantized_nodes.h"

#include <algorithm>

#include "ops/operators.h"
#include "ops/speller.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

/// The floats that the tensor at `data` stands for: scale and zero point are the two inputs after it. The axis counts
/// where there are several scales.
ir::ValueId dequantized(Speller& s, size_t data, int64_t axis = 0) {
  const auto& scale = s.info(data + 1).shape;
  const bool single = scale && (scale->empty() || *scale == Shape{1});
  return s.add("DequantizeLinear", {s.input(data), s.input(data + 1), s.input(data + 2)},
               single ? Attributes{} : Attributes{{"axis", axis}});
}

/// int32 numbers, in the product of two scales.
ir::ValueId dequantized_bias(Speller& s, size_t data, size_t scale_a, size_t scale_b, int64_t axis) {
  if (!s.has(data)) return ir::kNoValue;
  if (s.info(data).dtype != DType::kI32) node_error(s.node(), "the bias has type {}", dtype_name(s.info(data).dtype));
  return s.add("DequantizeLinear", {s.input(data), s.add("Mul", {s.input(scale_a), s.input(scale_b)})},
               {{"axis", axis}});
}

/// Ends the graph with x in the scale and zero point from input `scale` on; without a zero point it is 0, in the type
/// of input `like`.
SpelledOut quantized(Speller& s, ir::ValueId x, size_t scale, size_t like) {
  const ir::ValueId zero = s.has(scale + 1) ? s.input(scale + 1) : s.constant(Tensor(s.info(like).dtype, Shape{}));
  return s.finished({s.add("QuantizeLinear", {x, s.input(scale), zero})});
}

/// Fails where scales and zero points of several dimensions are not one for each matrix, row or column, or any of them.
void require_broadcast(const Speller& s, size_t data) {
  const InferContext c = s.context();
  const Shape& scale = *c.shape(data + 1);
  if (c.dtype(data + 1) != DType::kF32) node_error(c.node, "scale has type {}", dtype_name(c.dtype(data + 1)));
  if (c.dtype(data + 2) != c.dtype(data))
    node_error(c.node, "{} with a zero point of {}", dtype_name(c.dtype(data)), dtype_name(c.dtype(data + 2)));
  if (c.shape(data + 2) && *c.shape(data + 2) != scale)
    node_error(c.node, "scale of shape {} and zero point of {}", shape_text(scale), shape_text(*c.shape(data + 2)));
  if (c.shape(data) && broadcast(c.node, c.shape(data), scale) != c.shape(data))
    node_error(c.node, "scale of shape {} for matrices of {}", shape_text(scale), shape_text(*c.shape(data)));
  require_scales(c, data + 1);
}

/// The floats of a factor. A list has a scale for each row of the first, or each column of the second; in more
/// dimensions scales and zero points are broadcast.
ir::ValueId factor(Speller& s, size_t data, int64_t axis_from_last) {
  const auto &shape = s.info(data).shape, &scale = s.info(data + 1).shape;
  if (!scale || scale->size() < 2)
    return dequantized(s, data, shape ? std::max<int64_t>(0, static_cast<int64_t>(shape->size()) - axis_from_last) : 0);
  require_broadcast(s, data);
  constexpr int64_t kFloat = 1;  // ONNX's number for float32
  const auto floats = [&](size_t i) { return s.add("Cast", {s.input(i)}, {{"to", kFloat}}); };
  return s.add("Mul", {s.add("Sub", {floats(data), floats(data + 2)}), s.input(data + 1)});
}

std::optional<SpelledOut> spell_conv(Speller& s) {
  const ir::ValueId x = dequantized(s, 0), weights = dequantized(s, 3), bias = dequantized_bias(s, 8, 1, 4, 0);
  return quantized(s, s.add("Conv", {x, weights, bias}, s.attributes()), 6, 0);
}

std::optional<SpelledOut> spell_matmul(Speller& s) {
  const ir::ValueId a = factor(s, 0, 2), b = factor(s, 3, 1);
  return quantized(s, s.add("MatMul", {a, b}), 6, 0);
}

/// Inputs a, b and C, the last two scales optional: without them the output is float.
std::optional<SpelledOut> spell_gemm(Speller& s) {
  const bool transposed = s.node().get_int("transB", 0) != 0;
  const ir::ValueId a = dequantized(s, 0), b = dequantized(s, 3, transposed ? 0 : 1);
  const auto& c_shape = s.has(6) ? s.info(6).shape : std::nullopt;
  const int64_t c_axis = c_shape && !c_shape->empty() ? static_cast<int64_t>(c_shape->size()) - 1 : 0;
  auto attributes = s.attributes();
  attributes["beta"] = s.node().get_float("alpha", 1);  // C is in the scale of the products, alpha included
  const ir::ValueId y = s.add("Gemm", {a, b, dequantized_bias(s, 6, 1, 4, c_axis)}, attributes);
  return s.has(7) ? quantized(s, y, 7, 0) : s.finished({y});
}

std::optional<SpelledOut> spell_binary(Speller& s, const std::string& op) {
  const ir::ValueId a = dequantized(s, 0), b = dequantized(s, 3);
  return quantized(s, s.add(op, {a, b}), 6, 0);
}

std::optional<SpelledOut> spell_add(Speller& s) { return spell_binary(s, "Add"); }
std::optional<SpelledOut> spell_mul(Speller& s) { return spell_binary(s, "Mul"); }

std::optional<SpelledOut> spell_where(Speller& s) {
  const ir::ValueId a = dequantized(s, 1), b = dequantized(s, 4);
  return quantized(s, s.add("Where", {s.input(0), a, b}), 7, 1);
}

std::optional<SpelledOut> spell_sigmoid(Speller& s) {
  return quantized(s, s.add("Sigmoid", {dequantized(s, 0)}), 3, 0);
}
std::optional<SpelledOut> spell_leaky_relu(Speller& s) {
  return quantized(s, s.add("LeakyRelu", {dequantized(s, 0)}, s.attributes()), 3, 0);
}

std::optional<SpelledOut> spell_pool(Speller& s, const std::string& op) {
  if (s.node().get_int("channels_last", 0) != 0)
    fail(ErrorCode::kUnsupported, "{}: channels_last is not supported", node_label(s.node()));
  return quantized(s, s.add(op, {dequantized(s, 0)}, s.attributes({"channels_last"})), 3, 0);
}

std::optional<SpelledOut> spell_average_pool(Speller& s) { return spell_pool(s, "AveragePool"); }
std::optional<SpelledOut> spell_global_average_pool(Speller& s) { return spell_pool(s, "GlobalAveragePool"); }

/// Before opset 13 Softmax takes all axes from its own on as one; the node says which Softmax it was.
std::optional<SpelledOut> spell_softmax(Speller& s) {
  const int64_t meant = s.node().get_int("opset", 13);
  const auto& shape = s.info(0).shape;
  const int64_t axis = s.node().get_int("axis", meant < 13 ? 1 : -1);
  const bool is_last = axis == -1 || (shape && axis == static_cast<int64_t>(shape->size()) - 1);
  if (!is_last && (meant < 13) != (s.opset() < 13))
    fail(ErrorCode::kUnsupported, "{}: the Softmax of opset {} on axis {} is not supported in a model of opset {}",
         node_label(s.node()), meant, axis, s.opset());
  return quantized(s, s.add("Softmax", {dequantized(s, 0)}, {{"axis", axis}}), 3, 0);
}

/// The output's scale and zero point, then data, scale and zero point of each part.
std::optional<SpelledOut> spell_concat(Speller& s) {
  if (s.input_count() % 3 != 2) node_error(s.node(), "{} inputs are not two and three for each part", s.input_count());
  std::vector<ir::ValueId> parts;
  for (size_t i = 2; i < s.input_count(); i += 3) {
    if (!s.has(i) || !s.has(i + 1)) node_error(s.node(), "part {} has no data or no scale", (i - 2) / 3);
    parts.push_back(dequantized(s, i));
  }
  return quantized(s, s.add("Concat", std::move(parts), s.attributes()), 0, 2);
}

/// ONNX Runtime's own forms take the types that ONNX's lacked once.
std::optional<SpelledOut> spell_as_onnx(Speller& s) {
  std::vector<ir::ValueId> inputs;
  for (size_t i = 0; i < s.input_count(); ++i) inputs.push_back(s.input(i));
  return s.finished({s.add(s.node().op, std::move(inputs), s.attributes())});
}

struct Spelling {
  std::string_view domain, type;
  int min_inputs, max_inputs;
  std::optional<SpelledOut> (*spell)(Speller&);
  bool heavy = false;
};

constexpr Spelling kSpellings[] = {
    {"", "QLinearConv", 8, 9, spell_conv, true},
    {"", "QLinearMatMul", 8, 8, spell_matmul, true},
    {kContribDomain, "QGemm", 6, 9, spell_gemm, true},
    {kContribDomain, "QLinearAdd", 7, 8, spell_add},
    {kContribDomain, "QLinearMul", 7, 8, spell_mul},
    {kContribDomain, "QLinearWhere", 9, 9, spell_where},
    {kContribDomain, "QLinearSigmoid", 4, 5, spell_sigmoid},
    {kContribDomain, "QLinearLeakyRelu", 4, 5, spell_leaky_relu},
    {kContribDomain, "QLinearAveragePool", 4, 5, spell_average_pool, true},
    {kContribDomain, "QLinearGlobalAveragePool", 4, 5, spell_global_average_pool, true},
    {kContribDomain, "QLinearSoftmax", 4, 5, spell_softmax},
    {kContribDomain, "QLinearConcat", 5, kVariadic, spell_concat},
    {kContribDomain, "QuantizeLinear", 2, 3, spell_as_onnx},
    {kContribDomain, "DequantizeLinear", 2, 3, spell_as_onnx},
};

}  // namespace

bool reads_or_makes_codes(const ir::Node& node) {
  constexpr std::string_view kOperators[] = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                             "ConvInteger", "MatMulInteger"};
  return std::ranges::any_of(kOperators, [&](std::string_view op) { return node.is(op); }) ||
         std::ranges::any_of(kSpellings,
                             [&](const Spelling& row) { return row.type == node.op && row.domain == node.domain; });
}

std::span<const Operator> quantized_node_operators() {
  static const auto operators = [] {
    static constexpr Card kHeavy{.batch = Batch::kMixes, .heavy = true};
    std::vector<Operator> rows;
    for (const Spelling& row : kSpellings)
      rows.push_back({row.domain, row.type, row.min_inputs, row.max_inputs, infer_spelled_out, evaluate_spelled_out,
                      row.heavy ? kHeavy : kMixes, 10, 1, false, row.spell});
    return rows;
  }();
  return operators;
}

}  // namespace effdet::ops
