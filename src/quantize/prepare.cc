// The form of a graph that layers, calibration and quantization take.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "onnx/raise_opset.h"
#include "ops/quantized_nodes.h"
#include "passes/pipeline.h"
#include "quantize/quantize.h"

namespace effdet::quantize {
namespace {

/// The first operator set with one scale a channel.
constexpr int64_t kLeastOpset = 13;

void require_float(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes)
    if (ops::reads_or_makes_codes(node))
      fail(ErrorCode::kUnsupported, "{}: the model is quantized already; give the float32 model",
           ops::node_label(node));
}

void require_one_image_input(const ir::Graph& graph) {
  if (graph.inputs.size() != 1)
    fail(ErrorCode::kUnsupported, "the model has {} inputs; only models with one can be quantized",
         graph.inputs.size());
  const ir::Value& input = graph.value(graph.inputs[0]);
  const bool known = input.shape && input.shape->size() == 4 &&
                     std::all_of(input.shape->begin() + 1, input.shape->end(), [](int64_t side) { return side > 0; });
  if (input.dtype != DType::kF32 || !known)
    fail(ErrorCode::kUnsupported,
         "the model's input '{}' is {} {}; to quantize it must be float32 images of a known size (onnxsim "
         "--input-shape)",
         input.name, dtype_name(input.dtype), input.shape ? shape_text(*input.shape) : "of unknown shape");
}

/// Layers are called by their nodes' names.
void name_nodes(ir::Graph& graph) {
  std::unordered_map<std::string, int> next;  // by name that is taken: the number to try first after it
  for (ir::Node& node : graph.nodes) {
    const std::string base = node.name.empty() ? graph.value(node.outputs.at(0)).name : node.name;
    node.name = base;
    if (next.try_emplace(base, 2).second) continue;
    int& number = next.at(base);
    do node.name = fmt::format("{}_{}", base, number++);
    while (next.contains(node.name));
    next.emplace(node.name, 2);
  }
}

}  // namespace

ir::Graph prepare(ir::Graph graph) {
  require_float(graph);
  require_one_image_input(graph);
  passes::simplify(graph);
  name_nodes(graph);
  if (graph.opset < kLeastOpset) onnx::raise_opset(graph, kLeastOpset);
  ops::infer_shapes(graph);
  return graph;
}

}  // namespace effdet::quantize
