// QLinearConv, QLinearMatMul, and ONNX Runtime's operators on quantized tensors.
#include "ops/quantized_nodes.h"

#include <algorithm>

#include "ops/operators.h"
#include "ops/shape_walk.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

using Attributes = std::map<std::string, ir::Attribute>;

/// Appends nodes to a graph of its own. A quantized tensor is given by the place of its data among the node's inputs;
/// scale and zero point follow it.
class Speller {
 public:
  Speller(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs) : node_(node), inputs_(inputs) {
    out_.graph.opset = opset;
    for (size_t i = 0; i < inputs.size(); ++i) out_.operands.push_back(operand(i));
  }

  const ir::Node& node() const { return node_; }
  int64_t opset() const { return out_.graph.opset; }
  size_t input_count() const { return inputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i].present; }
  const InputInfo& info(size_t i) const { return inputs_[i]; }
  std::span<const InputInfo> inputs() const { return inputs_; }
  ir::ValueId input(size_t i) const { return i < out_.operands.size() ? out_.operands[i] : ir::kNoValue; }

  /// The node's attributes but for those that only its own operator has.
  Attributes attributes(std::initializer_list<std::string_view> without = {}) const {
    Attributes kept = node_.attributes;
    for (const std::string_view name : without) kept.erase(std::string(name));
    return kept;
  }

  ir::ValueId add(std::string op, std::vector<ir::ValueId> inputs, Attributes attributes = {}) {
    while (!inputs.empty() && inputs.back() == ir::kNoValue) inputs.pop_back();
    return out_.graph.add_node(std::move(op), node_.name, std::move(inputs), std::move(attributes));
  }

  ir::ValueId constant(Tensor tensor) { return out_.graph.add_constant(new_name(), std::move(tensor)); }

  /// The floats that the tensor at `data` stands for. The axis counts where there are several scales.
  ir::ValueId dequantized(size_t data, int64_t axis = 0) {
    const auto& scale = info(data + 1).shape;
    const bool single = scale && (scale->empty() || *scale == Shape{1});
    return add("DequantizeLinear", {input(data), input(data + 1), input(data + 2)},
               single ? Attributes{} : Attributes{{"axis", axis}});
  }

  /// int32 numbers, in the product of two scales.
  ir::ValueId dequantized_bias(size_t data, size_t scale_a, size_t scale_b, int64_t axis) {
    if (!has(data)) return ir::kNoValue;
    if (info(data).dtype != DType::kI32) node_error(node_, "the bias has type {}", dtype_name(info(data).dtype));
    return add("DequantizeLinear", {input(data), add("Mul", {input(scale_a), input(scale_b)})}, {{"axis", axis}});
  }

  /// Ends the graph with x in the scale and zero point from input `scale` on; without a zero point it is 0, in the type
  /// of input `like`.
  SpelledOut quantized(ir::ValueId x, size_t scale, size_t like) {
    const ir::ValueId zero = has(scale + 1) ? input(scale + 1) : constant(Tensor(info(like).dtype, Shape{}));
    return finished(add("QuantizeLinear", {x, input(scale), zero}));
  }

  SpelledOut finished(ir::ValueId output) {
    out_.graph.outputs = {output};
    return std::move(out_);
  }

 private:
  std::string new_name() { return fmt::format("{}.{}", node_.name, out_.graph.value_count()); }

  ir::ValueId operand(size_t i) {
    const InputInfo& info = inputs_[i];
    if (!info.present) return ir::kNoValue;
    ir::Value value{.name = new_name(), .dtype = info.dtype, .shape = info.shape};
    if (info.value != nullptr) value.constant = *info.value;
    return out_.graph.add_value(std::move(value));
  }

  const ir::Node& node_;
  std::span<const InputInfo> inputs_;
  SpelledOut out_;
};

/// Fails where scales and zero points of several dimensions are not one for each matrix, row or column, or any of them.
void require_broadcast(const Speller& s, size_t data) {
  const InferContext c{s.node(), s.opset(), s.inputs()};
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
    return s.dequantized(data, shape ? std::max<int64_t>(0, static_cast<int64_t>(shape->size()) - axis_from_last) : 0);
  require_broadcast(s, data);
  constexpr int64_t kFloat = 1;  // ONNX's number for float32
  const auto floats = [&](size_t i) { return s.add("Cast", {s.input(i)}, {{"to", kFloat}}); };
  return s.add("Mul", {s.add("Sub", {floats(data), floats(data + 2)}), s.input(data + 1)});
}

SpelledOut spell_conv(Speller& s) {
  const ir::ValueId x = s.dequantized(0), weights = s.dequantized(3), bias = s.dequantized_bias(8, 1, 4, 0);
  return s.quantized(s.add("Conv", {x, weights, bias}, s.attributes()), 6, 0);
}

SpelledOut spell_matmul(Speller& s) {
  const ir::ValueId a = factor(s, 0, 2), b = factor(s, 3, 1);
  return s.quantized(s.add("MatMul", {a, b}), 6, 0);
}

/// Inputs a, b and C, the last two scales optional: without them the output is float.
SpelledOut spell_gemm(Speller& s) {
  const bool transposed = s.node().get_int("transB", 0) != 0;
  const ir::ValueId a = s.dequantized(0), b = s.dequantized(3, transposed ? 0 : 1);
  const auto& c_shape = s.has(6) ? s.info(6).shape : std::nullopt;
  const int64_t c_axis = c_shape && !c_shape->empty() ? static_cast<int64_t>(c_shape->size()) - 1 : 0;
  auto attributes = s.attributes();
  attributes["beta"] = s.node().get_float("alpha", 1);  // C is in the scale of the products, alpha included
  const ir::ValueId y = s.add("Gemm", {a, b, s.dequantized_bias(6, 1, 4, c_axis)}, attributes);
  return s.has(7) ? s.quantized(y, 7, 0) : s.finished(y);
}

SpelledOut spell_binary(Speller& s, const std::string& op) {
  const ir::ValueId a = s.dequantized(0), b = s.dequantized(3);
  return s.quantized(s.add(op, {a, b}), 6, 0);
}

SpelledOut spell_add(Speller& s) { return spell_binary(s, "Add"); }
SpelledOut spell_mul(Speller& s) { return spell_binary(s, "Mul"); }

SpelledOut spell_where(Speller& s) {
  const ir::ValueId a = s.dequantized(1), b = s.dequantized(4);
  return s.quantized(s.add("Where", {s.input(0), a, b}), 7, 1);
}

SpelledOut spell_sigmoid(Speller& s) { return s.quantized(s.add("Sigmoid", {s.dequantized(0)}), 3, 0); }
SpelledOut spell_leaky_relu(Speller& s) {
  return s.quantized(s.add("LeakyRelu", {s.dequantized(0)}, s.attributes()), 3, 0);
}

SpelledOut spell_pool(Speller& s, const std::string& op) {
  if (s.node().get_int("channels_last", 0) != 0)
    fail(ErrorCode::kUnsupported, "{}: channels_last is not supported", node_label(s.node()));
  return s.quantized(s.add(op, {s.dequantized(0)}, s.attributes({"channels_last"})), 3, 0);
}

SpelledOut spell_average_pool(Speller& s) { return spell_pool(s, "AveragePool"); }
SpelledOut spell_global_average_pool(Speller& s) { return spell_pool(s, "GlobalAveragePool"); }

/// Before opset 13 Softmax takes all axes from its own on as one; the node says which Softmax it was.
SpelledOut spell_softmax(Speller& s) {
  const int64_t meant = s.node().get_int("opset", 13);
  const auto& shape = s.info(0).shape;
  const int64_t axis = s.node().get_int("axis", meant < 13 ? 1 : -1);
  const bool is_last = axis == -1 || (shape && axis == static_cast<int64_t>(shape->size()) - 1);
  if (!is_last && (meant < 13) != (s.opset() < 13))
    fail(ErrorCode::kUnsupported, "{}: the Softmax of opset {} on axis {} is not supported in a model of opset {}",
         node_label(s.node()), meant, axis, s.opset());
  return s.quantized(s.add("Softmax", {s.dequantized(0)}, {{"axis", axis}}), 3, 0);
}

/// The output's scale and zero point, then data, scale and zero point of each part.
SpelledOut spell_concat(Speller& s) {
  if (s.input_count() % 3 != 2) node_error(s.node(), "{} inputs are not two and three for each part", s.input_count());
  std::vector<ir::ValueId> parts;
  for (size_t i = 2; i < s.input_count(); i += 3) {
    if (!s.has(i) || !s.has(i + 1)) node_error(s.node(), "part {} has no data or no scale", (i - 2) / 3);
    parts.push_back(s.dequantized(i));
  }
  return s.quantized(s.add("Concat", std::move(parts), s.attributes()), 0, 2);
}

/// ONNX Runtime's own forms take the types that ONNX's lacked once.
SpelledOut spell_as_onnx(Speller& s) {
  std::vector<ir::ValueId> inputs;
  for (size_t i = 0; i < s.input_count(); ++i) inputs.push_back(s.input(i));
  return s.finished(s.add(s.node().op, std::move(inputs), s.attributes()));
}

struct Spelling {
  std::string_view domain, type;
  int min_inputs, max_inputs;
  SpelledOut (*spell)(Speller&);
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

const Spelling* find_spelling(const ir::Node& node) {
  const auto found = std::ranges::find_if(
      kSpellings, [&](const Spelling& row) { return row.type == node.op && row.domain == node.domain; });
  return found == std::end(kSpellings) ? nullptr : found;
}

std::vector<Inferred> infer_spelled_out(const InferContext& c) {
  ir::Graph graph = spelled_out(c.node, c.opset, c.inputs).graph;
  KnownValues known;
  ShapeWalk walk(graph, known);
  for (const ir::Node& node : graph.nodes) walk.visit_supported(node);
  const ir::Value& output = graph.value(graph.outputs[0]);
  return {{output.dtype, output.shape}};
}

void evaluate_spelled_out(const EvalContext& c) {
  const std::vector<InputInfo> infos = input_infos(c);
  c.output() = run_reference(spelled_out(c.node, c.opset, infos).graph, {}, c.threads)[0];
}

}  // namespace

bool is_quantized_node(const ir::Node& node) { return !node.opaque && find_spelling(node) != nullptr; }

bool reads_or_makes_codes(const ir::Node& node) {
  constexpr std::string_view kOperators[] = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                             "ConvInteger", "MatMulInteger"};
  return std::ranges::any_of(kOperators, [&](std::string_view op) { return node.is(op); }) || is_quantized_node(node);
}

SpelledOut spelled_out(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs) {
  Speller speller(node, opset, inputs);
  return find_spelling(node)->spell(speller);
}

std::span<const Operator> quantized_node_operators() {
  static const auto operators = [] {
    static constexpr Card kHeavy{.batch = Batch::kMixes, .heavy = true};
    std::vector<Operator> rows;
    for (const Spelling& row : kSpellings)
      rows.push_back({row.domain, row.type, row.min_inputs, row.max_inputs, infer_spelled_out, evaluate_spelled_out,
                      row.heavy ? kHeavy : kMixes, 10});
    return rows;
  }();
  return operators;
}

}  // namespace effdet::ops
