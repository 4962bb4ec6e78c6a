#include <fnmatch.h>

#include <map>
#include <set>

#include "base/error.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused.h"

namespace effdet::compiler {
namespace {

constexpr int64_t kOnnxFloat = 1, kOnnxBfloat16 = 16;

/// Where an operator's packed convolution weights are, whose type is that of the map; -1 where it has none.
int packed_weights_at(const ir::Node& node) {
  if (node.op == "Conv" || node.op == "ExpandDepthwise") return 1;
  return node.op == "DepthwisePointwise" ? 3 : -1;
}

/// Where an operator's residual is, whose type is that of the output.
size_t residual_at(const ir::Node& node) { return node.op == "Conv" ? 3 : 5; }

/// Names of the nodes that the patterns (as a shell's) match. Throws Error(kUsage) for one that matches nothing.
std::set<std::string> matching_nodes(const ir::Graph& graph, const std::vector<std::string>& patterns) {
  std::set<std::string> names;
  for (const std::string& pattern : patterns) {
    const size_t before = names.size();
    for (const ir::Node& node : graph.nodes)
      if (::fnmatch(pattern.c_str(), node.name.c_str(), 0) == 0) names.insert(node.name);
    if (names.size() == before)
      fail(ErrorCode::kUsage, "'{}' matches no layer; 'effdet info MODEL.om --steps' lists their names", pattern);
  }
  return names;
}

class TypeAssigner {
 public:
  TypeAssigner(ir::Graph& graph, std::set<std::string> keep) : graph_(graph), keep_(std::move(keep)) {}

  void run() {
    std::vector<ir::Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (ir::Node& node : old) {
      if (runs_narrow(node)) {
        place_narrow(node);
      } else if (follows_maps(node)) {
        place_follower(node);
      } else {
        for (ir::ValueId& id : node.inputs) id = wide(id);
      }
      graph_.nodes.push_back(std::move(node));
    }
    graph_.compact();
  }

 private:
  /// Maps between fused operators become bfloat16. What the caller reads stays float32, and so does what has no map:
  /// squeeze-excite, means and gates.
  bool runs_narrow(const ir::Node& node) const {
    if (node.domain != ir::kFusedDomain || node.op == "SqueezeExcite" || node.op == "Activation" ||
        node.op == "ConvTranspose" || node.op == "Elementwise")
      return false;
    if (keep_.contains(node.name)) return false;
    if (!ops::is_nhwc(node)) return ops::is_nhwc(node, true);  // the first layer
    // To NCHW go pairs of channels.
    return ops::is_nhwc(node, true) || (packed_weights_at(node) >= 0 && depth(node) % 2 == 0);
  }

  /// ONNX's own operators that only move and mix values: they take the type of the maps that reach them.
  bool follows_maps(const ir::Node& node) const {
    if (keep_.contains(node.name)) return false;
    if (node.is("Concat") || is_elementwise(node))
      return std::ranges::any_of(node.inputs, [&](ir::ValueId id) { return narrow_.contains(id); });
    return (node.is("Split") || node.is("Resize")) && narrow_.contains(node.inputs[0]);
  }

  static bool is_elementwise(const ir::Node& node) {
    return node.domain == ir::kFusedDomain && node.op == "Elementwise";
  }

  void place_follower(ir::Node& node) {
    if (is_elementwise(node)) {  // takes inputs of both types
      node.attributes["output_type"] = std::string(dtype_name(DType::kBF16));
      narrow_.insert(node.outputs[0]);
      return;
    }
    const size_t maps = node.is("Concat") ? node.inputs.size() : 1;
    for (size_t i = 0; i < maps; ++i) node.inputs[i] = narrow(node.inputs[i]);
    narrow_.insert(node.outputs.begin(), node.outputs.end());
  }

  /// Values that the packed weights of an output channel have.
  int64_t depth(const ir::Node& node) const {
    return graph_.value(node.inputs[static_cast<size_t>(packed_weights_at(node))]).shape->at(1);
  }

  void place_narrow(ir::Node& node) {
    const bool first_layer = !ops::is_nhwc(node), last_layer = !ops::is_nhwc(node, true);
    const int weights = packed_weights_at(node);
    if (!first_layer) {
      const size_t maps = node.op == "Mix" ? node.inputs.size() : 1;
      for (size_t i = 0; i < maps; ++i) node.inputs[i] = narrow(node.inputs[i]);
      if (weights >= 0) pack(node.inputs[static_cast<size_t>(weights)]);
    }
    if (weights >= 0 && residual_at(node) < node.inputs.size()) {
      ir::ValueId& residual = node.inputs[residual_at(node)];
      residual = narrow(residual);
    }
    if (first_layer || last_layer)
      node.attributes["output_type"] = std::string(dtype_name(last_layer ? DType::kF32 : DType::kBF16));
    if (!last_layer) narrow_.insert(node.outputs[0]);
  }

  ir::ValueId narrow(ir::ValueId id) {
    return id == ir::kNoValue || narrow_.contains(id) ? id : cast(id, DType::kBF16);
  }
  ir::ValueId wide(ir::ValueId id) { return narrow_.contains(id) ? cast(id, DType::kF32) : id; }

  ir::ValueId cast(ir::ValueId id, DType dtype) {
    auto [twin, is_new] = casts_.try_emplace(id, ir::kNoValue);
    if (is_new) {
      const std::string name = graph_.value(id).name + "_" + std::string(dtype_name(dtype));
      const auto shape = graph_.value(id).shape;
      twin->second = graph_.add_value({name, dtype, shape, std::nullopt});
      graph_.nodes.push_back(
          {"Cast", "", name, {id}, {twin->second}, {{"to", dtype == DType::kBF16 ? kOnnxBfloat16 : kOnnxFloat}}});
    }
    return twin->second;
  }

  void pack(ir::ValueId& weights) {
    auto [packed, is_new] = packed_.try_emplace(weights, ir::kNoValue);
    if (is_new)
      packed->second =
          graph_.add_constant(graph_.value(weights).name + "_bf16", ops::pack_pairs(*graph_.constant(weights)));
    weights = packed->second;
  }

  ir::Graph& graph_;
  const std::set<std::string> keep_;
  std::set<ir::ValueId> narrow_;  // the maps that are bfloat16
  std::map<ir::ValueId, ir::ValueId> casts_, packed_;
};

}  // namespace

void assign_types(ir::Graph& graph, const std::vector<std::string>& keep_float32) {
  TypeAssigner(graph, matching_nodes(graph, keep_float32)).run();
}

}  // namespace effdet::compiler
