// Products of one-hot rows and a table become a Gather of the table's rows.
#include <algorithm>
#include <cmath>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "passes/budget.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// 0, 1, 2, ... along the last axis, and all other axes of size 1.
bool counts_up(const Tensor* constant) {
  if (constant == nullptr || (constant->dtype() != DType::kI32 && constant->dtype() != DType::kI64)) return false;
  if (constant->rank() == 0 || constant->shape().back() != constant->numel()) return false;
  const Tensor wide = constant->to(DType::kI64);
  const auto values = wide.data<int64_t>();
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] != static_cast<int64_t>(i)) return false;
  return true;
}

const ir::Node* producer(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId id, std::string_view op) {
  const ir::Node* node = producer_of(graph, uses, id);
  return node != nullptr && node->is(op) ? node : nullptr;
}

/// The places [..., 1] whose one-hot rows of `count` values the node makes; kNoValue for something else.
ir::ValueId places_of(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId one_hot, int64_t count) {
  const ir::Node* cast = producer(graph, uses, one_hot, "Cast");
  const ir::Node* equal = cast == nullptr ? nullptr : producer(graph, uses, cast->inputs[0], "Equal");
  if (equal == nullptr) return ir::kNoValue;
  for (size_t i = 0; i < 2; ++i) {
    const Tensor* numbers = graph.constant(equal->inputs[1 - i]);
    const auto &shape = graph.value(equal->inputs[i]).shape, &result = graph.value(one_hot).shape;
    if (!counts_up(numbers) || numbers->numel() != count || !passes::is_static(shape) || !result) continue;
    if (shape->size() == result->size() && shape->back() == 1) return equal->inputs[i];
  }
  return ir::kNoValue;
}

bool is_finite(const Tensor& table) {
  return std::ranges::all_of(table.data<float>(), [](float x) { return std::isfinite(x); });
}

/// The table with a row of zeros after it, for places that it does not have.
Tensor with_zeros_behind(const Tensor& table) {
  Tensor longer(DType::kF32, {table.dim(0) + 1, table.dim(1)});
  std::ranges::copy(table.data<float>(), longer.mutable_data<float>().begin());
  return longer;
}

}  // namespace

void fuse_lookups(ir::Graph& graph, passes::RewriteBudget& budget) {
  const ir::Uses uses(graph);
  std::vector<ir::Node> nodes;
  for (const ir::Node& node : graph.nodes) {
    const Tensor* table = node.is("MatMul") && graph.opset >= 12 ? graph.constant(node.inputs[1]) : nullptr;
    const bool is_table = table != nullptr && table->dtype() == DType::kF32 && table->rank() == 2;
    const ir::ValueId places = is_table ? places_of(graph, uses, node.inputs[0], table->dim(0)) : ir::kNoValue;
    // A product by 0 of what is not finite would be NaN.
    if (places == ir::kNoValue || !is_finite(*table) ||
        !budget.change(table->byte_size() + static_cast<uint64_t>(table->dim(1)) * sizeof(float))) {
      nodes.push_back(node);
      continue;
    }
    const Tensor longer = with_zeros_behind(*table);
    const int64_t zeros = table->dim(0);
    const ir::Value value = graph.value(places);
    const Shape flat(value.shape->begin(), value.shape->end() - 1);
    const auto number = [&](const char* what, int64_t n) {
      return graph.add_constant(node.name + what, Tensor::scalar(n).to(value.dtype));
    };
    const auto append = [&](const char* op, const std::string& name, std::vector<ir::ValueId> inputs,
                            const Shape& shape) {
      const ir::ValueId made = graph.add_value({name, value.dtype, shape, {}});
      nodes.push_back({op, "", name, std::move(inputs), {made}, {}});
      return made;
    };
    // What is beyond the table becomes the last row; so does -1, as ONNX counts from the end.
    const ir::ValueId limited =
        append("Clip", node.name + "_limited", {places, number("_before", -1), number("_behind", zeros)}, *value.shape);
    const ir::ValueId list = graph.add_constant(node.name + "_places_shape",
                                                Tensor::from<int64_t>({static_cast<int64_t>(flat.size())}, flat));
    const ir::ValueId rows = append("Reshape", node.name + "_places", {limited, list}, flat);
    nodes.push_back(
        {"Gather", "", node.name, {graph.add_constant(node.name + "_table", longer), rows}, node.outputs, {}});
  }
  graph.nodes = std::move(nodes);
  graph.compact();
}

}  // namespace effdet::compiler
