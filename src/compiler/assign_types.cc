// A type for maps other than float32, where cards allow it; Casts where others want float32.
#include <fnmatch.h>

#include <map>
#include <set>

#include "base/error.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused/layout.h"
#include "ops/fused/packing.h"

namespace effdet::compiler {
namespace {

/// ONNX's numbers for the types that maps may have.
int64_t onnx_code(DType dtype) { return dtype == DType::kBF16 ? 16 : dtype == DType::kF16 ? 10 : 1; }

/// The end of the name of a constant that is packed for such a type.
std::string_view packed_suffix(DType dtype) { return dtype == DType::kBF16 ? "_bf16" : "_fp16"; }

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

/// The types of the maps that a node reads and of the one that it makes.
struct MapTypes {
  DType input = DType::kF32, output = DType::kF32;
};

/// Gives maps the target type between operators that can take it, as their cards say; the caller's tensors and all else
/// stay float32.
class TypeAssigner {
 public:
  TypeAssigner(ir::Graph& graph, DType target, std::set<std::string> keep)
      : graph_(graph), target_(target), keep_(std::move(keep)) {}

  void run() {
    std::vector<ir::Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (ir::Node& node : old) {
      place(node, types_of(node));
      graph_.nodes.push_back(std::move(node));
    }
    graph_.compact();
  }

 private:
  /// Nothing where the node works on float32 alone.
  std::optional<MapTypes> types_of(const ir::Node& node) const {
    const ops::Card& card = ops::card_of(node);
    if (!card.takes(target_) || keep_.contains(node.name)) return std::nullopt;
    if (card.layout == ops::LayoutRule::kAttributes) return types_by_layout(node, card);
    const bool from_codes = is_codes(node.inputs[0]), to_codes = is_codes(node.outputs[0]);
    if (from_codes) {
      const bool is_map = graph_.value(node.outputs[0]).layout == ir::Layout::kNhwc;
      return !to_codes && is_map ? std::optional(MapTypes{DType::kU8, target_}) : std::nullopt;
    }
    if (!reads_target(node, card)) return std::nullopt;
    return MapTypes{target_, to_codes ? DType::kU8 : target_};
  }

  bool is_codes(ir::ValueId id) const { return graph_.value(id).dtype == DType::kU8; }

  /// Maps are of the target type where they lie NHWC, but for codes. NCHW is what the caller gives, to the first layer,
  /// and reads from the last one.
  std::optional<MapTypes> types_by_layout(const ir::Node& node, const ops::Card& card) const {
    const ops::MapLayouts layouts = ops::MapLayouts::of(node);
    const auto type = [&](ir::Layout layout) { return layout == ir::Layout::kNhwc ? target_ : DType::kF32; };
    MapTypes types{type(layouts.input), type(layouts.output)};
    if (is_codes(node.inputs[0])) types.input = DType::kU8;
    if (is_codes(node.outputs[0])) types.output = DType::kU8;
    if (types.output == target_ || is_codes(node.outputs[0])) return types;
    if (is_codes(node.inputs[0])) return std::nullopt;
    return types.input == target_ && fills_panels(node, card) ? std::optional(types) : std::nullopt;
  }

  /// Whether packed weights of the target type have no padding: kernels that write NCHW know none.
  bool fills_panels(const ir::Node& node, const ops::Card& card) const {
    const auto weights = card.find_slot(ops::Slot::kPackedWeights);
    if (!weights) return false;
    const int64_t depth = graph_.value(node.inputs[*weights]).shape->at(1);
    return ops::padded_depth(depth, target_) == depth;
  }

  /// Operators that only move and mix values take the type of the maps that reach them.
  bool reads_target(const ir::Node& node, const ops::Card& card) const {
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (is_map(card.slot(i)) && has_target_.contains(node.inputs[i])) return true;
    return false;
  }
  static bool is_map(ops::Slot slot) { return slot == ops::Slot::kMap || slot == ops::Slot::kAnyMap; }

  void place(ir::Node& node, const std::optional<MapTypes>& types) {
    const ops::Card& card = ops::card_of(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      ir::ValueId& id = node.inputs[i];
      if (id == ir::kNoValue) continue;
      const ops::Slot slot = card.slot(i);
      const auto type = types ? ops::type_in_slot(slot, types->input, types->output) : DType::kF32;
      if (graph_.value(id).dtype != DType::kF32) continue;  // codes, or made from codes: sums, int8 weights
      if (type) id = slot == ops::Slot::kPackedWeights ? packed(id, *type) : in_type(id, *type);
    }
    if (!types) return;
    const bool decides = types->input != types->output || card.slot(0) == ops::Slot::kAnyMap;
    if (decides) node.attributes["output_type"] = std::string(dtype_name(types->output));
    if (types->output != target_) return;
    // Means of a layer's map are float32.
    const size_t maps = card.layout == ops::LayoutRule::kAttributes ? 1 : node.outputs.size();
    has_target_.insert(node.outputs.begin(), node.outputs.begin() + static_cast<ptrdiff_t>(maps));
  }

  /// The value in that type: itself, or what a Cast makes of it.
  ir::ValueId in_type(ir::ValueId id, DType dtype) {
    if (has_target_.contains(id) == (dtype == target_)) return id;
    auto [copy, is_new] = casts_.try_emplace(id, ir::kNoValue);
    if (is_new) {
      const std::string name = graph_.value(id).name + "_" + std::string(dtype_name(dtype));
      const auto shape = graph_.value(id).shape;
      copy->second = graph_.add_value({name, dtype, shape, std::nullopt});
      graph_.nodes.push_back({"Cast", "", name, {id}, {copy->second}, {{"to", onnx_code(dtype)}}});
    }
    return copy->second;
  }

  /// Weights of float32 panels, packed for maps of that type.
  ir::ValueId packed(ir::ValueId weights, DType dtype) {
    if (dtype == DType::kF32) return weights;
    auto [packed, is_new] = packed_.try_emplace(weights, ir::kNoValue);
    if (is_new)
      packed->second = graph_.add_constant(graph_.value(weights).name + std::string(packed_suffix(dtype)),
                                           ops::pack_narrow(*graph_.constant(weights), dtype));
    return packed->second;
  }

  ir::Graph& graph_;
  const DType target_;
  const std::set<std::string> keep_;
  std::set<ir::ValueId> has_target_;  // the maps that are of the target type
  std::map<ir::ValueId, ir::ValueId> casts_, packed_;
};

}  // namespace

void assign_types(ir::Graph& graph, DType target, const std::vector<std::string>& keep_float32) {
  TypeAssigner(graph, target, matching_nodes(graph, keep_float32)).run();
}

}  // namespace effdet::compiler
