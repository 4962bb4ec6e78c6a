#include <algorithm>
#include <map>

#include "compiler/layout_followers.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused.h"

namespace effdet::compiler {
namespace {

/// Rebuilds the list of nodes, keeping for each NCHW value its NHWC twin where there is one.
class LayoutAssigner {
 public:
  explicit LayoutAssigner(ir::Graph& graph) : graph_(graph), uses_(graph), has_nchw_(graph.value_count(), true) {}

  void run() {
    std::vector<ir::Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (ir::Node& node : old)
      for (ir::ValueId id : node.outputs)
        if (id != ir::kNoValue) has_nchw_[static_cast<size_t>(id)] = false;
    for (ir::Node& node : old) {
      if (has_layout(node)) {
        place_fused(std::move(node));
      } else if (const auto follower = follower_of_maps(node)) {
        place_follower(std::move(node), *follower);
      } else {
        for (ir::ValueId id : node.inputs) require_nchw(id);
        mark_nchw(node);
        graph_.nodes.push_back(std::move(node));
      }
    }
    for (ir::ValueId id : graph_.outputs) require_nchw(id);
    graph_.compact();
  }

 private:
  /// Fused operators on maps, whose attribute `layout` says how these lie.
  static bool has_layout(const ir::Node& node) {
    return node.domain == ir::kFusedDomain && node.op != "SqueezeExcite" && node.op != "Aipp" &&
           node.op != "Elementwise" && node.op != "MatMul";
  }

  void mark_nchw(const ir::Node& node) {
    for (ir::ValueId id : node.outputs)
      if (id != ir::kNoValue) has_nchw_[static_cast<size_t>(id)] = true;
  }

  void add_transpose(ir::ValueId from, ir::ValueId to, std::vector<int64_t> order, std::string_view suffix) {
    graph_.nodes.push_back(
        {"Transpose", "", graph_.value(from).name + std::string(suffix), {from}, {to}, {{"perm", order}}});
  }

  void require_nchw(ir::ValueId id) {
    if (id == ir::kNoValue || has_nchw_[static_cast<size_t>(id)]) return;
    add_transpose(nhwc_.at(id), id, {0, 3, 1, 2}, "_to_nchw");
    has_nchw_[static_cast<size_t>(id)] = true;
  }

  /// A new value that stands for id in NHWC.
  ir::ValueId make_nhwc(ir::ValueId id) {
    const ir::Value& value = graph_.value(id);
    const Shape shape = ops::dims_of(*value.shape, false).shape(true);
    const ir::ValueId twin = graph_.add_value({value.name + "_nhwc", value.dtype, shape, std::nullopt});
    nhwc_[id] = twin;
    return twin;
  }

  ir::ValueId require_nhwc(ir::ValueId id) {
    if (id == ir::kNoValue) return id;
    if (const auto found = nhwc_.find(id); found != nhwc_.end()) return found->second;
    const ir::ValueId twin = make_nhwc(id);
    add_transpose(id, twin, {0, 2, 3, 1}, "_to_nhwc");
    return twin;
  }

  /// A convolution gathers its windows anyway, from NCHW as well where it has few channels (a network's first layer);
  /// and writes NCHW where only the caller reads it.
  bool reads_nchw(const ir::Node& node) const {
    constexpr int64_t kMostChannels = 8;
    return node.op == "Conv" && graph_.value(node.inputs[0]).shape->at(1) <= kMostChannels &&
           node.get_int("group", 1) == 1 && !nhwc_.contains(node.inputs[0]) &&
           node.get_ints("kernel_shape", {1, 1}) != std::vector<int64_t>{1, 1};
  }
  bool writes_nchw(const ir::Node& node) const {
    const bool plain =
        (node.op == "Conv" && node.inputs.size() == 3) || (node.op == "DepthwisePointwise" && node.inputs.size() == 5);
    return plain && !has_steps(node) && uses_.is_output(node.outputs[0]) && uses_.readers(node.outputs[0]).empty();
  }

  /// Operators that know axes and no layout lie as the maps do that reach them.
  std::optional<LayoutFollower> follower_of_maps(const ir::Node& node) const {
    auto follower = layout_follower(graph_, node);
    const auto lies_nhwc = [&](size_t i) { return nhwc_.contains(node.inputs[i]); };
    return follower && std::ranges::any_of(follower->maps, lies_nhwc) ? follower : std::nullopt;
  }

  void place_follower(ir::Node node, const LayoutFollower& follower) {
    write_for_nhwc(graph_, node);
    for (const size_t i : follower.maps) node.inputs[i] = require_nhwc(node.inputs[i]);
    if (follower.gives_maps) {
      for (ir::ValueId& id : node.outputs) id = make_nhwc(id);
    } else {
      mark_nchw(node);
    }
    graph_.nodes.push_back(std::move(node));
  }

  void place_fused(ir::Node node) {
    // Not both: kernels turn one side.
    const bool from_nchw = reads_nchw(node), to_nchw = !from_nchw && writes_nchw(node);
    // Only maps have a layout: not weights, gates and means.
    const auto is_map = [&](size_t i) {
      return i == 0 || node.op == "Mix" || (node.op == "Conv" && i == 3) || (node.op == "DepthwisePointwise" && i == 5);
    };
    if (graph_.value(node.outputs[0]).shape->size() != 4) {  // an activation of something else
      for (ir::ValueId id : node.inputs) require_nchw(id);
      mark_nchw(node);
      graph_.nodes.push_back(std::move(node));
      return;
    }
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (is_map(i) && !(i == 0 && from_nchw)) node.inputs[i] = require_nhwc(node.inputs[i]);
    if (from_nchw) require_nchw(node.inputs[0]);
    node.attributes["layout"] = std::string(from_nchw ? "nchw" : "nhwc");
    if (from_nchw != to_nchw) node.attributes["output_layout"] = std::string(to_nchw ? "nchw" : "nhwc");
    if (to_nchw) {
      mark_nchw(node);
    } else {
      const ir::ValueId map = node.outputs[0];
      mark_nchw(node);  // for a depthwise layer's mean, which has no layout
      has_nchw_[static_cast<size_t>(map)] = false;
      node.outputs[0] = make_nhwc(map);
    }
    graph_.nodes.push_back(std::move(node));
  }

  ir::Graph& graph_;
  const ir::Uses uses_;
  std::vector<bool> has_nchw_;  // by the ids of before; twins are not among them
  std::map<ir::ValueId, ir::ValueId> nhwc_;
};

}  // namespace

void assign_layouts(ir::Graph& graph) { LayoutAssigner(graph).run(); }

}  // namespace effdet::compiler
