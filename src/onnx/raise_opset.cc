// The rewrites of raise_opset, one row for each change of an operator.
#include "onnx/raise_opset.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "ir/messages.h"
#include "onnx/opset_changes.h"

namespace effdet::onnx {
namespace {

[[noreturn]] void refuse(const ir::Node& node, std::string_view reason) {
  fail(ErrorCode::kUnsupported, "{} '{}' cannot be written for a later operator set: {}", node.op, node.name, reason);
}

/// Constants for what were attributes; nodes that say the same share one.
class Constants {
 public:
  explicit Constants(ir::Graph& graph) : graph_(graph) {
    const auto take = [&](const std::string& name) {
      if (name.starts_with(kPrefix)) taken_.insert(name);
    };
    for (size_t i = 0; i < graph.value_count(); ++i) take(graph.value(static_cast<ir::ValueId>(i)).name);
    for (const std::string& name : graph.inner_names) take(name);
  }

  ir::ValueId get(const std::string& attribute, const std::vector<int64_t>& numbers) {
    const auto [place, is_new] = known_.try_emplace({attribute, numbers}, ir::kNoValue);
    if (is_new)
      place->second = graph_.add_constant(free_name(attribute),
                                          Tensor::from<int64_t>({static_cast<int64_t>(numbers.size())}, numbers));
    return place->second;
  }
  ir::ValueId get(const std::string& attribute, float number) {
    return graph_.add_constant(free_name(attribute), Tensor::scalar(number));
  }

 private:
  static inline const std::string kPrefix = "opset.";

  std::string free_name(const std::string& attribute) {
    int& next = next_[attribute];
    std::string name;
    do name = next > 0 ? fmt::format("{}{}_{}", kPrefix, attribute, next) : kPrefix + attribute;
    while (++next, !taken_.insert(name).second);
    return name;
  }

  ir::Graph& graph_;
  std::set<std::string> taken_;      ///< names with the prefix: a graph is slow to ask, and may have many such nodes
  std::map<std::string, int> next_;  ///< by attribute: the number to try first
  std::map<std::pair<std::string, std::vector<int64_t>>, ir::ValueId> known_;
};

struct Context {
  ir::Graph& graph;
  Constants& constants;
};

/// The attribute becomes the input at that place.
void to_input(Context& c, ir::Node& node, const std::string& attribute, size_t place) {
  const ir::Attribute* value = node.find(attribute);
  if (value == nullptr) return;
  ir::ValueId constant = ir::kNoValue;
  if (const auto* list = std::get_if<std::vector<int64_t>>(value)) {
    constant = c.constants.get(attribute, *list);
  } else if (const auto* whole = std::get_if<int64_t>(value)) {
    constant = c.constants.get(attribute, std::vector<int64_t>{*whole});
  } else if (const auto* number = std::get_if<float>(value)) {
    if (c.graph.value(node.inputs.at(0)).dtype != DType::kF32) refuse(node, "its input is not float32");
    constant = c.constants.get(attribute, *number);
  } else {
    bad_input("{} '{}': attribute {} is neither a number nor a list of integers", node.op, node.name, attribute);
  }
  node.inputs.resize(std::max(node.inputs.size(), place + 1), ir::kNoValue);
  node.inputs[place] = constant;
  node.attributes.erase(attribute);
}

void axes_to_input(Context& c, ir::Node& node) { to_input(c, node, "axes", 1); }

void clip(Context& c, ir::Node& node) {
  to_input(c, node, "min", 1);
  to_input(c, node, "max", 2);
}

void pad(Context& c, ir::Node& node) {
  to_input(c, node, "pads", 1);
  to_input(c, node, "value", 2);
}

void slice(Context& c, ir::Node& node) {
  to_input(c, node, "starts", 1);
  to_input(c, node, "ends", 2);
  to_input(c, node, "axes", 3);
}

void split(Context& c, ir::Node& node) { to_input(c, node, "split", 1); }

/// Split into equal parts says how many since version 18.
void count_parts(Context&, ir::Node& node) {
  const bool has_sizes = node.inputs.size() > 1 && node.inputs[1] != ir::kNoValue;
  if (!has_sizes) node.attributes["num_outputs"] = static_cast<int64_t>(node.outputs.size());
}

void top_k(Context& c, ir::Node& node) { to_input(c, node, "k", 1); }

/// Of inference nothing but the form of the attribute changed, which has no effect then.
void dropout(Context&, ir::Node& node) { node.attributes.erase("ratio"); }

void batch_norm_9(Context&, ir::Node& node) {
  if (node.get_int("spatial", 1) != 1) refuse(node, "its statistics are not of channels");
  node.attributes.erase("spatial");
}

void batch_norm_14(Context&, ir::Node& node) {
  if (node.outputs.size() > 1) refuse(node, "it has the outputs of training");
}

/// Before version 13 it ran over all dimensions from the axis on, by default from the second.
void last_axis(Context& c, ir::Node& node) {
  const std::optional<Shape>& shape = c.graph.value(node.inputs.at(0)).shape;
  if (!shape) refuse(node, "the rank of its input is not known");
  const auto rank = static_cast<int64_t>(shape->size());
  int64_t axis = node.get_int("axis", 1);
  if (axis < 0) axis += rank;
  if (axis != rank - 1) refuse(node, fmt::format("it runs over several axes, from {} on", axis));
  node.attributes["axis"] = axis;
}

/// The same as before needs modes that later versions have by other defaults.
void resize_11(Context&, ir::Node& node) {
  if (node.inputs.size() != 2) bad_input("Resize '{}' has {} inputs, not 2", node.name, node.inputs.size());
  node.inputs.insert(node.inputs.begin() + 1, ir::kNoValue);
  node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  node.attributes["nearest_mode"] = std::string("floor");
}

/// roi and scales that say nothing are absent inputs now, no longer empty ones.
void drop_empty_inputs(Context& c, ir::Node& node) {
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (const Tensor* constant = c.graph.constant(node.inputs[i]); constant != nullptr && constant->numel() == 0)
      node.inputs[i] = ir::kNoValue;
  while (node.inputs.back() == ir::kNoValue) node.inputs.pop_back();
}

void roi_align(Context&, ir::Node& node) {
  node.attributes["coordinate_transformation_mode"] = std::string("output_half_pixel");
}

struct Rewrite {
  std::string_view op;
  int64_t since;
  void (*apply)(Context&, ir::Node&);
};

// In ascending order of versions for each operator.
constexpr Rewrite kRewrites[] = {
    {"BatchNormalization", 9, batch_norm_9},
    {"BatchNormalization", 14, batch_norm_14},
    {"Cast", 9, [](Context&, ir::Node&) {}},  // strings, which graphs do not hold
    {"Clip", 11, clip},
    {"Dropout", 12, dropout},
    {"Hardmax", 13, last_axis},
    {"LogSoftmax", 13, last_axis},
    {"Pad", 11, pad},
    {"ReduceL1", 18, axes_to_input},
    {"ReduceL2", 18, axes_to_input},
    {"ReduceLogSum", 18, axes_to_input},
    {"ReduceLogSumExp", 18, axes_to_input},
    {"ReduceMax", 18, axes_to_input},
    {"ReduceMean", 18, axes_to_input},
    {"ReduceMin", 18, axes_to_input},
    {"ReduceProd", 18, axes_to_input},
    {"ReduceSum", 13, axes_to_input},
    {"ReduceSumSquare", 18, axes_to_input},
    {"Resize", 11, resize_11},
    {"Resize", 13, drop_empty_inputs},
    {"RoiAlign", 16, roi_align},
    {"Slice", 10, slice},
    {"Softmax", 13, last_axis},
    {"Split", 13, split},
    {"Split", 18, count_parts},
    {"Squeeze", 13, axes_to_input},
    {"TopK", 10, top_k},
    {"Unsqueeze", 13, axes_to_input},
};

void raise_node(Context& c, ir::Node& node, int64_t opset) {
  if (ir::has_opaque_attribute(node)) refuse(node, "it holds a graph of its own");
  if (!node.domain.empty()) return;
  // All changes of an operator have a row, or none has.
  bool is_known = !meaning_changes(node.op, c.graph.opset, opset);
  for (const Rewrite& rewrite : kRewrites) {
    if (rewrite.op != node.op || rewrite.since <= c.graph.opset || rewrite.since > opset) continue;
    rewrite.apply(c, node);
    is_known = true;
  }
  if (!is_known) refuse(node, fmt::format("its meaning changed between versions {} and {}", c.graph.opset, opset));
}

}  // namespace

void raise_opset(ir::Graph& graph, int64_t opset) {
  if (opset < kLowestOpset || opset > kHighestOpset)
    fail(ErrorCode::kUsage, "operator set {} cannot be written, only {} to {}", opset, kLowestOpset, kHighestOpset);
  if (opset < graph.opset)
    fail(ErrorCode::kUsage, "the graph is of operator set {} already, later than {}", graph.opset, opset);
  if (opset == graph.opset) return;
  if (!graph.functions.empty())
    fail(ErrorCode::kUnsupported, "a model with functions cannot be written for a later operator set");
  Constants constants(graph);
  Context context{graph, constants};
  for (ir::Node& node : graph.nodes) raise_node(context, node, opset);
  graph.opset = opset;
  graph.compact();
}

}  // namespace effdet::onnx
