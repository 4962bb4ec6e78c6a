// How operators that stand for several others are spelled, inferred and run as these.
#include "ops/spelled_out.h"

#include "ops/shape_walk.h"
#include "ops/speller.h"
#include "ops/util.h"

namespace effdet::ops {
Speller::Speller(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs)
    : node_(node), inputs_(inputs) {
  out_.graph.opset = opset;
  for (size_t i = 0; i < inputs.size(); ++i) out_.operands.push_back(operand(i));
}

ir::ValueId Speller::operand(size_t i) {
  const InputInfo& info = inputs_[i];
  if (!info.present) return ir::kNoValue;
  ir::Value value{.name = new_name(), .dtype = info.dtype, .shape = info.shape};
  if (info.value != nullptr) value.constant = *info.value;
  return out_.graph.add_value(std::move(value));
}

Attributes Speller::attributes(std::initializer_list<std::string_view> without) const {
  Attributes kept = node_.attributes;
  for (const std::string_view name : without) kept.erase(std::string(name));
  return kept;
}

ir::ValueId Speller::add(std::string op, std::vector<ir::ValueId> inputs, Attributes attributes) {
  while (!inputs.empty() && inputs.back() == ir::kNoValue) inputs.pop_back();
  return out_.graph.add_node(std::move(op), node_.name, std::move(inputs), std::move(attributes));
}

SpelledOut Speller::finished(std::vector<ir::ValueId> outputs) {
  std::erase(outputs, ir::kNoValue);
  out_.graph.outputs = std::move(outputs);
  return std::move(out_);
}

bool stands_for_others(const ir::Node& node) {
  const Operator* op = node.opaque ? nullptr : find_operator(node.domain, node.op);
  return op != nullptr && op->spell != nullptr;
}

std::optional<SpelledOut> spelled_out(const ir::Node& node, int64_t opset, std::span<const InputInfo> inputs) {
  Speller speller(node, opset, inputs);
  return find_operator(node.domain, node.op)->spell(speller);
}

std::vector<Inferred> infer_spelled_out(const InferContext& c) {
  ir::Graph graph = spelled_out(c.node, c.opset, c.inputs)->graph;
  KnownValues known;
  ShapeWalk walk(graph, known);
  for (const ir::Node& node : graph.nodes) walk.visit_supported(node);
  const ir::Value& output = graph.value(graph.outputs[0]);
  return {{output.dtype, output.shape}};
}

void evaluate_spelled_out(const EvalContext& c) {
  const std::vector<InputInfo> infos = input_infos(c);
  std::vector<Tensor> results = run_reference(spelled_out(c.node, c.opset, infos)->graph, {}, c.threads);
  size_t made = 0;
  for (size_t i = 0; i < c.node.outputs.size(); ++i)
    if (c.node.outputs[i] != ir::kNoValue) c.output(i) = std::move(results[made++]);
}

}  // namespace effdet::ops
