// Groups nodes by the modules that their names tell of.
#include "model/structure.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/checked.h"
#include "base/error.h"
#include "ops/cost.h"

namespace effdet::model {
namespace {

using Kind = StructureBlock::Kind;

/// "/backbone/blocks.2/blocks.2.0/conv" -> {"backbone", "blocks", "2", "blocks", "2", "0", "conv"}.
std::vector<std::string> words(const std::string& name) {
  std::vector<std::string> list(1);
  for (char c : name) {
    if (c == '/' || c == '.' || c == ':')
      list.emplace_back();
    else
      list.back() += c;
  }
  std::erase(list, "");
  return list;
}

bool is_number(const std::string& word) {
  return !word.empty() && word.size() < 6 && word.find_first_not_of("0123456789") == std::string::npos;
}

/// The number after the first of these words ("blocks", "2"; exporters write "_blocks.0" and "cell.1" too), or -1.
int number_after(const std::vector<std::string>& path, std::initializer_list<std::string_view> keys) {
  for (size_t i = 0; i + 1 < path.size(); ++i)
    if (std::ranges::find(keys, path[i]) != keys.end() && is_number(path[i + 1])) return std::stoi(path[i + 1]);
  return -1;
}

struct Place {
  Kind kind = Kind::kOther;
  std::string name;
  bool operator<(const Place& other) const { return std::tie(kind, name) < std::tie(other.kind, other.name); }
};

/// Which words at the beginning of a name stand for what, in this project, effdet, and other EfficientDets.
struct Section {
  std::string_view word;
  Kind kind;
  std::string_view name;
};
constexpr Section kSections[] = {
    {"backbone", Kind::kBackbone, "backbone"}, {"backbone_net", Kind::kBackbone, "backbone"},
    {"fpn", Kind::kPyramid, "pyramid"},        {"bifpn", Kind::kPyramid, "pyramid"},
    {"class_net", Kind::kHead, "class head"},  {"box_net", Kind::kHead, "box head"},
    {"classifier", Kind::kHead, "class head"}, {"regressor", Kind::kHead, "box head"},
};

/// The block of a name, or nothing where the name tells nothing.
std::optional<Place> place_of(const std::string& name) {
  const std::vector<std::string> path = words(name);
  for (size_t i = 0; i < path.size() && i < 3; ++i) {  // a wrapper's name ("model") may stand in front
    const auto found = std::ranges::find(kSections, path[i], &Section::word);
    if (found == std::end(kSections)) continue;
    if (found->kind == Kind::kBackbone) {
      const int stage = number_after(path, {"blocks", "_blocks", "stages"});
      if (stage >= 0) return Place{found->kind, fmt::format("stage {}", stage + 1)};
      const bool stem = std::ranges::any_of(
          path, [](const auto& word) { return word.find("stem") != word.npos || word == "bn1" || word == "_bn0"; });
      return Place{found->kind, stem ? "stem" : std::string(found->name)};
    }
    if (found->kind == Kind::kPyramid) {
      const int cell = path[i] == "bifpn" && i + 1 < path.size() && is_number(path[i + 1])
                           ? std::stoi(path[i + 1])
                           : number_after(path, {"cell"});
      return Place{found->kind, cell >= 0 ? fmt::format("BiFPN cell {}", cell + 1) : "pyramid input"};
    }
    return Place{found->kind, std::string(found->name)};
  }
  return std::nullopt;
}

bool is_static(const std::optional<Shape>& shape) { return shape && checked_numel(*shape).has_value(); }

class Grouper {
 public:
  explicit Grouper(const ir::Graph& graph) : graph_(graph), block_of_(graph.value_count(), -1) {}

  std::vector<StructureBlock> group() {
    for (ir::ValueId id : graph_.inputs) {
      block_of_[static_cast<size_t>(id)] = static_cast<int>(blocks_.size());
      blocks_.push_back({Kind::kInput, graph_.value(id).name, 0, 0, 0, graph_.value(id).shape.value_or(Shape{}), {}});
    }
    for (const ir::Node& node : graph_.nodes) add(node);
    for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].sources.assign(sources_[i].begin(), sources_[i].end());
    return std::move(blocks_);
  }

 private:
  /// By the node's own name, its weights' names, and else with what it reads.
  size_t find_block(const ir::Node& node) {
    std::optional<Place> place = place_of(node.name);
    for (size_t i = 0; i < node.inputs.size() && !place; ++i)
      if (graph_.constant(node.inputs[i]) != nullptr) place = place_of(graph_.value(node.inputs[i]).name);
    if (!place) {
      int latest = -1;
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) latest = std::max(latest, block_of_[static_cast<size_t>(id)]);
      if (latest >= 0 && blocks_[static_cast<size_t>(latest)].kind != Kind::kInput) return static_cast<size_t>(latest);
      place = Place{Kind::kOther, "network"};
    }
    const auto [found, is_new] = index_.emplace(*place, blocks_.size());
    if (is_new) blocks_.push_back({place->kind, place->name, 0, 0, 0, {}, {}});
    return found->second;
  }

  void add(const ir::Node& node) {
    const size_t index = find_block(node);
    for (ir::ValueId id : node.inputs) {
      if (id == ir::kNoValue) continue;
      if (const Tensor* constant = graph_.constant(id); constant != nullptr && counted_.insert(id).second)
        blocks_[index].weights += constant->numel();
      const int source = block_of_[static_cast<size_t>(id)];
      if (source >= 0 && static_cast<size_t>(source) != index) sources_[index].insert(static_cast<size_t>(source));
    }
    const bool known = std::ranges::all_of(
        node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || is_static(graph_.value(id).shape); });
    StructureBlock& block = blocks_[index];
    ++block.nodes;
    const auto first = std::ranges::find_if(node.outputs, [](ir::ValueId id) { return id != ir::kNoValue; });
    const auto shape = first == node.outputs.end() ? std::nullopt : graph_.value(*first).shape;
    if (known && is_static(shape) && !node.opaque) block.flops += ops::cost_of(graph_, node).flops;
    if (shape && shape->size() == 4) block.shape = *shape;
    for (ir::ValueId id : node.outputs)
      if (id != ir::kNoValue) block_of_[static_cast<size_t>(id)] = static_cast<int>(index);
  }

  const ir::Graph& graph_;
  std::vector<int> block_of_;  ///< by value
  std::vector<StructureBlock> blocks_;
  std::map<Place, size_t> index_;
  std::map<size_t, std::set<size_t>> sources_;
  std::set<ir::ValueId> counted_;
};

}  // namespace

std::vector<StructureBlock> structure(const ir::Graph& graph) { return Grouper(graph).group(); }

}  // namespace effdet::model
