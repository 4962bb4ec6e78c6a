// Small whole numbers that a graph computes from sizes which depend on the image's content: what is certain of them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace effdet::compiler {

/// base + factor * size, of a size that is known by its limits alone; a constant where factor is 0.
struct SizeNumber {
  int64_t base = 0, factor = 0;
  size_t size = 0;
};

/// The contents of values that hold such numbers (at most some dozens), from node to node: 10 - Shape(boxes), say.
class SizeNumbers {
 public:
  using Numbers = std::vector<SizeNumber>;
  /// The largest shape of a value, or nothing.
  using ShapeLimit = std::function<std::optional<Shape>(ir::ValueId)>;

  SizeNumbers(const ir::Graph& graph, ShapeLimit shape_limit);

  /// Takes in what a node makes. Nodes come in order, after the limits of what they read are known.
  void visit(const ir::Node& node);

  /// The numbers that a value holds, row by row; nothing where that is not known. kNoValue holds none.
  std::optional<Numbers> find(ir::ValueId id) const;
  /// The size of a value along an axis.
  std::optional<SizeNumber> size_of(ir::ValueId id, size_t axis);
  /// Where both follow from the same size their sum is as narrow as that allows; nothing where it may be huge.
  std::optional<SizeNumber> sum(const SizeNumber& a, const SizeNumber& b);
  int64_t low(const SizeNumber& x) const;
  int64_t high(const SizeNumber& x) const;

 private:
  struct Range {
    int64_t low, high;
  };
  std::optional<SizeNumber> between(int64_t low, int64_t high);
  std::optional<SizeNumber> scaled(const SizeNumber& x, int64_t factor) const;
  std::optional<SizeNumber> product(const SizeNumber& a, const SizeNumber& b) const;
  std::optional<SizeNumber> lesser(const SizeNumber& a, const SizeNumber& b);
  std::optional<SizeNumber> greater(const SizeNumber& a, const SizeNumber& b);
  bool is_small(const SizeNumber& x) const;

  void keep_sizes(const ir::Node& node);
  std::optional<Numbers> made_by(const ir::Node& node);
  std::optional<Numbers> shape(const ir::Node& node);
  std::optional<Numbers> moved(const ir::Node& node) const;
  std::optional<Numbers> clipped(const ir::Node& node);
  std::optional<Numbers> combined(const ir::Node& node);

  const ir::Graph& graph_;
  ShapeLimit shape_limit_;
  std::vector<Range> sizes_;
  std::map<std::pair<ir::ValueId, size_t>, SizeNumber> size_numbers_;
  std::map<ir::ValueId, Numbers> numbers_;
};

}  // namespace effdet::compiler
