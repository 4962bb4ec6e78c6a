// Which features each node of a pyramid's cell joins, as effdet 0.4.1 has it.
#include "model/network.h"

namespace effdet::model {
namespace {

/// Makes nodes, and remembers what has been made of each level so far.
class CellPlan {
 public:
  CellPlan(int min_level, int max_level)
      : min_level_(min_level), count_(max_level - min_level + 1), ids_(static_cast<size_t>(count_)) {
    for (int i = 0; i < count_; ++i) ids(i) = {i};
  }

  int count() const { return count_; }
  int first(int level) { return ids(level).front(); }
  int last(int level) { return ids(level).back(); }
  std::vector<int>& ids(int level) { return ids_[static_cast<size_t>(level)]; }

  /// level counts from 0.
  void add(int level, std::vector<int> inputs, bool always_weighted = false) {
    ids(level).push_back(count_ + static_cast<int>(nodes_.size()));
    nodes_.push_back({min_level_ + level, std::move(inputs), always_weighted});
  }
  void repeat_last(int level) { ids(level).push_back(last(level)); }

  std::vector<FusionNode> nodes() && { return std::move(nodes_); }

 private:
  int min_level_, count_;
  std::vector<std::vector<int>> ids_;
  std::vector<FusionNode> nodes_;
};

void add_bifpn(CellPlan& plan) {
  for (int i = plan.count() - 2; i >= 0; --i) plan.add(i, {plan.last(i), plan.last(i + 1)});
  for (int i = 1; i < plan.count(); ++i) {
    std::vector<int> inputs = plan.ids(i);
    inputs.push_back(plan.last(i - 1));
    plan.add(i, std::move(inputs));
  }
}

void add_pan(CellPlan& plan) {
  const int top = plan.count() - 1;
  plan.add(top, {plan.last(top)});
  for (int i = top - 1; i >= 0; --i) plan.add(i, {plan.last(i), plan.last(i + 1)});
  plan.add(0, {plan.last(0)});
  for (int i = 1; i <= top; ++i) plan.add(i, {plan.last(i), plan.last(i - 1)});
}

/// Down and up again, up and down again, and the sum of both. Where a path makes nothing of a level, what it had counts
/// once more, so that places in ids() mean the same on all levels.
void add_quad(CellPlan& plan) {
  const int top = plan.count() - 1;
  for (int i = top - 1; i >= 0; --i) plan.add(i, {plan.last(i), plan.last(i + 1)});
  plan.repeat_last(top);
  for (int i = 1; i < top; ++i) {
    std::vector<int> inputs = plan.ids(i);
    inputs.push_back(plan.last(i - 1));
    plan.add(i, std::move(inputs));
  }
  plan.add(top, {plan.first(top), plan.last(top - 1)});
  plan.repeat_last(0);

  for (int i = 1; i <= top; ++i) plan.add(i, {plan.first(i), i == 1 ? plan.first(0) : plan.last(i - 1)});
  plan.repeat_last(0);
  for (int i = top - 1; i > 0; --i) plan.add(i, {plan.first(i), plan.last(i), plan.last(i + 1)});
  plan.add(0, {plan.first(0), plan.last(1)});
  plan.repeat_last(top);
  for (int i = 0; i <= top; ++i) plan.add(i, {plan.ids(i)[2], plan.ids(i)[4]}, true);
}

}  // namespace

std::vector<FusionNode> pyramid_nodes(Pyramid pyramid, int min_level, int max_level) {
  CellPlan plan(min_level, max_level);
  switch (pyramid) {
    case Pyramid::kBifpn:
      add_bifpn(plan);
      break;
    case Pyramid::kPan:
      add_pan(plan);
      break;
    case Pyramid::kQuad:
      add_quad(plan);
      break;
  }
  return std::move(plan).nodes();
}

}  // namespace effdet::model
