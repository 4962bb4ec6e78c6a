// NHWC for the maps of fused operators and of what follows them; Transposes where others want NCHW.
#include <algorithm>
#include <map>

#include "compiler/layout_followers.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused/layout.h"

namespace effdet::compiler {
namespace {

/// Rebuilds the list of nodes, keeping for each NCHW value its NHWC copy where there is one.
class LayoutAssigner {
 public:
  explicit LayoutAssigner(ir::Graph& graph) : graph_(graph), uses_(graph), has_nchw_(graph.value_count(), true) {}

  void run() {
    std::vector<ir::Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (ir::Node& node : old) {
      chooses_.push_back(is_fused(node, "TopCandidates"));
      for (ir::ValueId id : node.outputs)
        if (id != ir::kNoValue) has_nchw_[static_cast<size_t>(id)] = false;
    }
    for (ir::Node& node : old) {
      if (ops::card_of(node).layout == ops::LayoutRule::kAttributes) {
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
    const Shape shape = ops::dims_of(*value.shape, ir::Layout::kPlain).shape(ir::Layout::kNhwc);
    const ir::ValueId copy = graph_.add_value({value.name + "_nhwc", value.dtype, shape, std::nullopt});
    graph_.value(copy).layout = ir::Layout::kNhwc;
    nhwc_[id] = copy;
    return copy;
  }

  ir::ValueId require_nhwc(ir::ValueId id) {
    if (id == ir::kNoValue) return id;
    if (const auto found = nhwc_.find(id); found != nhwc_.end()) return found->second;
    const ir::ValueId copy = make_nhwc(id);
    add_transpose(id, copy, {0, 2, 3, 1}, "_to_nhwc");
    return copy;
  }

  /// Gathering windows from NCHW is as fast where there are few channels: in a network's first layer.
  bool reads_nchw(const ir::Node& node, const ops::Card& card) const {
    constexpr int64_t kMostChannels = 8;
    return card.reads_plain != nullptr && graph_.value(node.inputs[0]).shape->at(1) <= kMostChannels &&
           !nhwc_.contains(node.inputs[0]) && card.reads_plain(node);
  }
  /// What only the caller reads is written as he wants it, or what chooses candidates in his place.
  bool writes_nchw(const ir::Node& node, const ops::Card& card) const {
    const std::vector<int>& readers = uses_.readers(node.outputs[0]);
    const bool is_head = uses_.is_output(node.outputs[0]) || !readers.empty();
    return card.writes_plain != nullptr && is_head && card.writes_plain(node) &&
           std::ranges::all_of(readers, [&](int reader) { return chooses_[static_cast<size_t>(reader)]; });
  }

  /// Operators that know axes and no layout lie as the maps do that reach them.
  std::optional<LayoutFollower> follower_of_maps(const ir::Node& node) const {
    auto follower = layout_follower(graph_, node);
    const auto lies_nhwc = [&](size_t i) { return nhwc_.contains(node.inputs[i]); };
    return follower && std::ranges::any_of(follower->maps, lies_nhwc) ? follower : std::nullopt;
  }

  void place_follower(ir::Node node, const LayoutFollower& follower) {
    for (size_t i = 0; i < node.inputs.size(); ++i)  // a map of one value, say, which lies in no way
      if (std::ranges::find(follower.maps, i) == follower.maps.end()) require_nchw(node.inputs[i]);
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
    if (graph_.value(node.outputs[0]).shape->size() != 4) {  // an activation of something else
      for (ir::ValueId id : node.inputs) require_nchw(id);
      mark_nchw(node);
      graph_.nodes.push_back(std::move(node));
      return;
    }
    const ops::Card& card = ops::card_of(node);
    // Not both: kernels transpose one side alone.
    const bool from_nchw = reads_nchw(node, card), to_nchw = !from_nchw && writes_nchw(node, card);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ops::Slot slot = card.slot(i);
      // A residual lies as the output does. Only maps have a layout: not weights, gates and means.
      if ((slot == ops::Slot::kMap && !from_nchw) || (slot == ops::Slot::kResidual && !to_nchw))
        node.inputs[i] = require_nhwc(node.inputs[i]);
    }
    if (from_nchw) require_nchw(node.inputs[0]);
    const auto layout = [](bool nchw) { return nchw ? ir::Layout::kPlain : ir::Layout::kNhwc; };
    ops::set_layouts(node, {layout(from_nchw), layout(to_nchw)});
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
  std::vector<bool> has_nchw_;  // by the ids of before; copies are not among them
  std::vector<bool> chooses_;   // by node: whether it chooses candidates, from maps as the caller wants them
  std::map<ir::ValueId, ir::ValueId> nhwc_;
};

}  // namespace

void assign_layouts(ir::Graph& graph) { LayoutAssigner(graph).run(); }

}  // namespace effdet::compiler
