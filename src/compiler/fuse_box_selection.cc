// NonMaxSuppression of which a fixed number of boxes is taken becomes ai.effdet::SelectBoxes.
#include <functional>
#include <utility>

#include "base/checked.h"
#include "compiler/match.h"
#include "compiler/passes.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

using Attributes = std::map<std::string, ir::Attribute>;

/// How many boxes NonMaxSuppression keeps depends on the image, and a compiled model's shapes do not. This finds what
/// gives them a fixed size: the column of box indices, filled up with a constant, of which TopK takes the lowest; or
/// its first so many, which Gathers read.
class SelectionMatcher {
 public:
  SelectionMatcher(const ir::Graph& graph, const ir::Uses& uses, passes::RewriteBudget& budget)
      : graph_(graph), uses_(uses), budget_(budget) {}

  /// The SelectBoxes that makes the first output of this node, or nothing.
  std::optional<ir::Node> match(const ir::Node& node) {
    if (node.is("TopK")) return match_lowest(node);
    if (node.is("Slice")) return match_first(node);
    return std::nullopt;
  }

 private:
  std::optional<ir::Node> match_lowest(const ir::Node& top) const {
    if (top.inputs.size() != 2 || top.get_int("largest", 1) != 0 || top.get_int("sorted", 1) == 0) return std::nullopt;
    if (top.outputs.size() > 1 && is_read(top.outputs[1])) return std::nullopt;
    const auto count = passes::int_constant(graph_, top.inputs[1]);
    const ir::Node* concat = producer(top.inputs[0], "Concat");
    if (!count || count->size() != 1 || concat == nullptr || concat->inputs.size() != 2) return std::nullopt;
    const auto filler = passes::int_constant(graph_, concat->inputs[1]);
    if (!filler || filler->empty() || static_cast<int64_t>(filler->size()) < count->front() ||
        std::ranges::adjacent_find(*filler, std::not_equal_to()) != filler->end())
      return std::nullopt;
    const ir::Node* suppression = suppression_of(concat->inputs[0]);
    if (suppression == nullptr) return std::nullopt;
    // An index above the filler would come after it.
    const auto all = boxes(*suppression);
    if (!all || *all - 1 > filler->front()) return std::nullopt;
    return select(*suppression, top, {{"count", count->front()}, {"filler", filler->front()}});
  }

  std::optional<ir::Node> match_first(const ir::Node& slice) {
    const auto is_absent_or = [&](size_t i, int64_t value) {
      return i >= slice.inputs.size() || slice.inputs[i] == ir::kNoValue ||
             passes::int_constant(graph_, slice.inputs[i]) == std::vector<int64_t>{value};
    };
    if (slice.inputs.size() < 3 || !is_absent_or(1, 0) || !is_absent_or(3, 0) || !is_absent_or(4, 1))
      return std::nullopt;
    const auto count = passes::int_constant(graph_, slice.inputs[2]);
    const ir::Node* suppression = suppression_of(slice.inputs[0]);
    if (!count || count->size() != 1 || count->front() < 1 || suppression == nullptr) return std::nullopt;
    const auto all = boxes(*suppression);
    if (!all || uses_.is_output(slice.outputs[0])) return std::nullopt;
    uint64_t zeros = 0;  // rows of them, after what the Gathers read
    for (const int reader : uses_.readers(slice.outputs[0])) {
      const ir::Node& gather = graph_.nodes[static_cast<size_t>(reader)];
      if (!gathers_boxes(gather, slice.outputs[0], *all)) return std::nullopt;
      zeros += row_bytes(graph_.value(gather.inputs[0]));
    }
    if (!budget_.change(zeros)) return std::nullopt;
    return select(*suppression, slice, {{"count", count->front()}, {"filler", *all}, {"order", "score"}});
  }

  /// Whether the node takes rows of something that has one for each of the `all` boxes.
  bool gathers_boxes(const ir::Node& node, ir::ValueId indices, int64_t all) const {
    if (!node.is("Gather") || node.get_int("axis", 0) != 0 || node.inputs[1] != indices) return false;
    const auto& shape = graph_.value(node.inputs[0]).shape;
    return passes::is_static(shape) && !shape->empty() && shape->front() == all;
  }

  static uint64_t row_bytes(const ir::Value& rows) {
    const auto elements = checked_numel(std::span(*rows.shape).subspan(1));
    return elements.value_or(0) * dtype_size(rows.dtype);
  }

  const ir::Node* producer(ir::ValueId id, std::string_view op) const {
    const int producer = id == ir::kNoValue ? -1 : uses_.producer(id);
    if (producer < 0 || !graph_.nodes[static_cast<size_t>(producer)].is(op)) return nullptr;
    return &graph_.nodes[static_cast<size_t>(producer)];
  }

  bool is_read(ir::ValueId id) const {
    return id != ir::kNoValue && (uses_.is_output(id) || !uses_.readers(id).empty());
  }

  /// The NonMaxSuppression whose column of box indices this is, or null.
  const ir::Node* suppression_of(ir::ValueId id) const {
    const ir::Node* squeeze = producer(id, "Squeeze");
    const ir::Node* column = producer(squeeze != nullptr ? squeeze->inputs[0] : id, "Gather");
    if (column == nullptr || column->get_int("axis", 0) != 1 ||
        passes::int_constant(graph_, column->inputs[1]) != std::vector<int64_t>{2} ||
        graph_.constant(column->inputs[1])->rank() != (squeeze != nullptr ? 1 : 0))
      return nullptr;
    return producer(column->inputs[0], "NonMaxSuppression");
  }

  /// How many boxes there are before, where that is known.
  std::optional<int64_t> boxes(const ir::Node& suppression) const {
    const auto& shape = graph_.value(suppression.inputs[0]).shape;
    return shape && shape->size() == 3 && (*shape)[1] >= 0 ? std::optional((*shape)[1]) : std::nullopt;
  }

  std::optional<ir::Node> select(const ir::Node& suppression, const ir::Node& last, Attributes attributes) const {
    const auto input = [&](size_t i) { return i < suppression.inputs.size() ? suppression.inputs[i] : ir::kNoValue; };
    attributes["center_point_box"] = suppression.get_int("center_point_box", 0);
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
                    {input(0), input(1)}, {last.outputs.front()},        std::move(attributes)};
  }

  const ir::Graph& graph_;
  const ir::Uses& uses_;
  passes::RewriteBudget& budget_;
};

/// Where boxes are missing, a Gather reads a row of zeros after the last.
void append_zero_row(ir::Graph& graph, int gather) {
  const ir::ValueId source = graph.nodes[static_cast<size_t>(gather)].inputs[0];
  const ir::Value rows = graph.value(source);
  Shape row = *rows.shape;
  row.front() = 1;
  const ir::ValueId zeros = graph.add_constant(rows.name + "_zeros", Tensor(rows.dtype, std::move(row)));
  const ir::ValueId filled = graph.add_node("Concat", rows.name + "_filled", {source, zeros}, {{"axis", int64_t{0}}});
  graph.nodes[static_cast<size_t>(gather)].inputs[0] = filled;
}

}  // namespace

void fuse_box_selection(ir::Graph& graph, passes::RewriteBudget& budget) {
  const ir::Uses uses(graph);
  SelectionMatcher matcher(graph, uses, budget);
  std::vector<std::pair<size_t, ir::Node>> found;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (auto node = matcher.match(graph.nodes[n])) found.emplace_back(n, std::move(*node));
  for (auto& [n, node] : found) {
    if (node.find("order") != nullptr)
      for (const int reader : uses.readers(node.outputs[0])) append_zero_row(graph, reader);
    graph.nodes[n] = std::move(node);
  }
  ir::sort_nodes(graph);
  graph.compact();
}

}  // namespace effdet::compiler
