#include "compiler/match.h"
#include "compiler/passes.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// How many boxes NonMaxSuppression keeps depends on the image, and a compiled model's shapes do not. This finds what
/// gives them a fixed size: the column of box indices, filled up with a constant, of which TopK takes the lowest.
class SelectionMatcher {
 public:
  SelectionMatcher(const ir::Graph& graph, const ir::Uses& uses) : graph_(graph), uses_(uses) {}

  /// The SelectBoxes that makes the first output of this TopK, or nothing.
  std::optional<ir::Node> match(const ir::Node& top) const {
    if (!top.is("TopK") || top.inputs.size() != 2 || top.get_int("largest", 1) != 0 || top.get_int("sorted", 1) == 0)
      return std::nullopt;
    if (top.outputs.size() > 1 && is_read(top.outputs[1])) return std::nullopt;
    const auto count = passes::int_constant(graph_, top.inputs[1]);
    const ir::Node* concat = maker(top.inputs[0], "Concat");
    if (!count || count->size() != 1 || concat == nullptr || concat->inputs.size() != 2) return std::nullopt;
    const auto filler = passes::int_constant(graph_, concat->inputs[1]);
    if (!filler || filler->empty() || static_cast<int64_t>(filler->size()) < count->front() ||
        std::ranges::adjacent_find(*filler, std::not_equal_to()) != filler->end())
      return std::nullopt;
    const ir::Node* column = maker(concat->inputs[0], "Gather");
    if (column == nullptr || column->get_int("axis", 0) != 1 || !is_scalar_two(column->inputs[1])) return std::nullopt;
    const ir::Node* suppression = maker(column->inputs[0], "NonMaxSuppression");
    if (suppression == nullptr) return std::nullopt;
    return select(*suppression, top, count->front(), filler->front());
  }

 private:
  const ir::Node* maker(ir::ValueId id, std::string_view op) const {
    const int producer = id == ir::kNoValue ? -1 : uses_.producer(id);
    if (producer < 0 || !graph_.nodes[static_cast<size_t>(producer)].is(op)) return nullptr;
    return &graph_.nodes[static_cast<size_t>(producer)];
  }

  bool is_read(ir::ValueId id) const {
    return id != ir::kNoValue && (uses_.is_output(id) || !uses_.readers(id).empty());
  }

  bool is_scalar_two(ir::ValueId id) const {
    const Tensor* tensor = graph_.constant(id);
    return tensor != nullptr && tensor->rank() == 0 && passes::int_constant(graph_, id) == std::vector<int64_t>{2};
  }

  std::optional<ir::Node> select(const ir::Node& suppression, const ir::Node& top, int64_t count,
                                 int64_t filler) const {
    const auto& boxes = graph_.value(suppression.inputs[0]).shape;
    // An index above the filler would come behind it.
    if (!boxes || boxes->size() != 3 || (*boxes)[1] < 0 || (*boxes)[1] - 1 > filler) return std::nullopt;
    const auto input = [&](size_t i) { return i < suppression.inputs.size() ? suppression.inputs[i] : ir::kNoValue; };
    std::map<std::string, ir::Attribute> attributes{
        {"count", count}, {"filler", filler}, {"center_point_box", suppression.get_int("center_point_box", 0)}};
    if (input(2) != ir::kNoValue) {
      const auto most = passes::int_constant(graph_, input(2));
      if (!most || most->size() != 1) return std::nullopt;
      attributes["max_boxes"] = most->front();
    }
    for (const auto& [i, name] : {std::pair{size_t{3}, "iou_threshold"}, std::pair{size_t{4}, "score_threshold"}}) {
      if (input(i) == ir::kNoValue) continue;
      const auto value = scalar_constant(graph_, input(i));
      if (!value) return std::nullopt;
      attributes[name] = *value;
    }
    return ir::Node{"SelectBoxes",        std::string(ir::kFusedDomain), suppression.name,
                    {input(0), input(1)}, {top.outputs.front()},         std::move(attributes)};
  }

  const ir::Graph& graph_;
  const ir::Uses& uses_;
};

}  // namespace

void fuse_box_selection(ir::Graph& graph) {
  const ir::Uses uses(graph);
  const SelectionMatcher matcher(graph, uses);
  std::vector<std::pair<size_t, ir::Node>> found;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (auto node = matcher.match(graph.nodes[n])) found.emplace_back(n, std::move(*node));
  for (auto& [n, node] : found) graph.nodes[n] = std::move(node);
  graph.compact();
}

}  // namespace effdet::compiler
