#include "ops/cost.h"

#include <algorithm>

#include "base/checked.h"
#include "ops/fused.h"

namespace effdet::ops {
namespace {

int64_t elements(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue) return 0;
  return static_cast<int64_t>(checked_numel(*graph.value(id).shape).value_or(0));
}

int64_t bytes(const ir::Graph& graph, ir::ValueId id) {
  return id == ir::kNoValue ? 0 : elements(graph, id) * static_cast<int64_t>(dtype_size(graph.value(id).dtype));
}

int64_t dim(const ir::Graph& graph, ir::ValueId id, size_t axis) { return graph.value(id).shape->at(axis); }

int64_t dim_product(const std::vector<int64_t>& values) {
  int64_t product = 1;
  for (const int64_t value : values) product *= value;
  return product;
}

/// Products that are summed up for one output element; 0 for operators that sum nothing.
int64_t products_an_output(const ir::Graph& graph, const ir::Node& node) {
  const auto input = [&](size_t i) { return node.inputs.at(i); };
  if (node.domain == ir::kFusedDomain) {
    if (node.op == "Conv" || node.op == "MatMul") return dim(graph, input(1), 1);
    const auto taps = [&](size_t i) { return dim(graph, input(i), 0) * dim(graph, input(i), 1); };
    if (node.op == "DepthwiseConv") return taps(1);
    if (node.op == "ExpandDepthwise") return taps(3);
    if (node.op == "DepthwisePointwise") return dim(graph, input(3), 1);
    if (node.op == "AveragePool") return dim_product(node.get_ints("kernel_shape", {}));
    if (node.op == "ConvTranspose") {
      const Shape &w = *graph.value(input(1)).shape, strides = node.get_ints("strides", {1, 1});
      return std::max<int64_t>(1, w[0] * w[2] * w[3] / dim_product(strides));
    }
    if (node.op == "SqueezeExcite") return 2 * dim(graph, input(1), 1);
    if (node.op == "Mix") return static_cast<int64_t>(node.inputs.size());
    if (node.op == "Elementwise") {  // half a product each
      const std::string program = node.get_string("program", "");
      return (std::ranges::count(program, ';') + 1) / 2;
    }
    return 0;
  }
  if (node.op == "Conv") return elements(graph, input(1)) / std::max<int64_t>(1, dim(graph, input(1), 0));
  if (node.op == "MatMul") return graph.value(input(0)).shape->back();
  if (node.op == "Gemm") return dim(graph, input(0), node.get_int("transA", 0) != 0 ? 0 : 1);
  return 0;
}

/// Products of a fused operator's first part, whose map is no output.
int64_t products_inside(const ir::Graph& graph, const ir::Node& node) {
  if (node.domain != ir::kFusedDomain) return 0;
  if (node.op == "ExpandDepthwise") return elements(graph, node.inputs[0]) * node.get_int("out_channels", 0);
  if (node.op == "DepthwisePointwise") {
    const int64_t pixels = elements(graph, node.outputs[0]) / std::max<int64_t>(1, node.get_int("out_channels", 1));
    return pixels * elements(graph, node.inputs[1]);
  }
  return 0;
}

}  // namespace

Cost cost_of(const ir::Graph& graph, const ir::Node& node) {
  Cost cost;
  for (ir::ValueId id : node.inputs) cost.bytes += bytes(graph, id);
  for (ir::ValueId id : node.outputs) cost.bytes += bytes(graph, id);
  const int64_t outputs = elements(graph, node.outputs.at(0)), products = products_an_output(graph, node);
  cost.flops = products > 0 ? 2 * outputs * products : outputs;
  cost.flops += 2 * products_inside(graph, node);
  return cost;
}

bool is_heavy(const ir::Node& node) {
  constexpr std::string_view kHeavy[] = {
      "Conv",   "ConvTranspose", "ConvInteger",   "QLinearConv", "DeformConv", "MatMul",
      "Gemm",   "MatMulInteger", "QLinearMatMul", "Einsum",      "MaxPool",    "AveragePool",
      "LpPool", "LRN",           "RNN",           "GRU",         "LSTM",       "DFT",
      "STFT",   "Det",           "Unique",        "RoiAlign",    "MaxRoiPool", "NonMaxSuppression"};
  return !node.domain.empty() || std::ranges::find(kHeavy, node.op) != std::end(kHeavy);
}

}  // namespace effdet::ops
