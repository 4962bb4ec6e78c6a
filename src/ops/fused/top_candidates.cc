// ai.effdet::TopCandidates: attributes, inference, reference kernel, card.
#include "ops/fused/top_candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMostCount = int64_t{1} << 20;

std::vector<Inferred> infer_top_candidates(const InferContext& c) {
  const auto a = TopCandidatesAttributes::of(c.node);
  const size_t levels = c.inputs.size() / 2;
  if (c.inputs.size() % 2 != 0 || levels > kMostLevels)
    node_error(c.node, "{} inputs are no class and box maps of 1 to {} levels", c.inputs.size(), kMostLevels);
  require_inputs(c, c.inputs.size());
  const int64_t batch = known_shape(c, 0, 4)[0], planes = known_shape(c, 0, 4)[1];
  if (planes % a.classes != 0) node_error(c.node, "{} planes of {} classes", planes, a.classes);
  const int64_t anchors = planes / a.classes;
  int64_t cells = 0;
  for (size_t i = 0; i < levels; ++i) {
    const Shape& map = known_shape(c, i, 4);
    require_shape(c, i, {batch, planes, map[2], map[3]});
    require_shape(c, levels + i, {batch, 4 * anchors, map[2], map[3]});
    if (map[2] * map[3] > kMaxElements) node_error(c.node, "maps of {} cells", map[2] * map[3]);
    cells += map[2] * map[3];
  }
  if (cells > kMostAnchors / anchors || cells > kMostLogits / planes)
    node_error(c.node, "{} cells of {} anchors and {} classes are too many", cells, anchors, a.classes);
  return {{DType::kF32, Shape{batch, a.count, kCandidateValues}}, {DType::kF32, Shape{batch, 1}}};
}

struct Logit {
  float value;
  int64_t index;
};

/// All that may be taken, of one image.
std::vector<Logit> logits_of(const EvalContext& c, int64_t image, float& has_nan) {
  std::vector<Logit> all;
  int64_t base = 0;
  for (size_t level = 0; level < c.inputs.size() / 2; ++level) {
    const Tensor& map = c.input(level);
    const int64_t planes = map.dim(1), cells = map.dim(2) * map.dim(3);
    const auto values = map.data<float>().subspan(static_cast<size_t>(image * planes * cells));
    for (int64_t i = 0; i < planes * cells; ++i) {
      const float value = values[static_cast<size_t>(i)];
      if (std::isnan(value)) has_nan = 1;
      if (value >= std::numeric_limits<float>::lowest()) all.push_back({value, base + i % cells * planes + i / cells});
    }
    base += planes * cells;
  }
  return all;
}

void write_row(const EvalContext& c, const TopCandidatesAttributes& a, int64_t image, const Logit& logit,
               std::span<float> row) {
  const size_t levels = c.inputs.size() / 2;
  const int64_t anchors = c.input(0).dim(1) / a.classes, anchor = logit.index / a.classes;
  int64_t cell = anchor / anchors;
  size_t level = 0;
  for (; cell >= c.input(level).dim(2) * c.input(level).dim(3); ++level)
    cell -= c.input(level).dim(2) * c.input(level).dim(3);
  const Tensor& boxes = c.input(levels + level);
  const int64_t cells = boxes.dim(2) * boxes.dim(3);
  row[0] = logit.value;
  row[1] = static_cast<float>(anchor);
  row[2] = static_cast<float>(logit.index % a.classes);
  for (int64_t k = 0; k < 4; ++k)
    row[static_cast<size_t>(3 + k)] =
        boxes.data<float>()[static_cast<size_t>((image * 4 * anchors + anchor % anchors * 4 + k) * cells + cell)];
}

void evaluate_top_candidates(const EvalContext& c) {
  const auto a = TopCandidatesAttributes::of(c.node);
  const auto rows = c.output().mutable_data<float>();
  for (int64_t image = 0; image < c.output().dim(0); ++image) {
    float has_nan = 0;
    std::vector<Logit> all = logits_of(c, image, has_nan);
    std::ranges::sort(all, [](const Logit& x, const Logit& y) {
      return x.value > y.value || (x.value == y.value && x.index < y.index);
    });
    for (int64_t i = 0; i < a.count; ++i) {
      const auto row = rows.subspan(static_cast<size_t>((image * a.count + i) * kCandidateValues), kCandidateValues);
      if (i < static_cast<int64_t>(all.size())) {
        write_row(c, a, image, all[static_cast<size_t>(i)], row);
      } else {
        row[0] = -std::numeric_limits<float>::infinity();
      }
    }
    if (c.outputs.size() > 1 && !c.output(1).empty())
      c.output(1).mutable_data<float>()[static_cast<size_t>(image)] = has_nan;
  }
}

}  // namespace

TopCandidatesAttributes TopCandidatesAttributes::of(const ir::Node& node) {
  const TopCandidatesAttributes a{node.get_int("count", 0), node.get_int("classes", 0)};
  if (a.count < 1 || a.count > kMostCount) node_error(node, "attribute 'count' is {}", a.count);
  if (a.classes < 1 || a.classes > kMaxOutChannels) node_error(node, "attribute 'classes' is {}", a.classes);
  return a;
}

std::span<const Operator> fused_top_candidates_operators() {
  static constexpr Card kCard{.batch = Batch::kByImage, .heavy = true};
  static constexpr Operator kOperators[] = {{ir::kFusedDomain, "TopCandidates", 2, 2 * kMostLevels,
                                             infer_top_candidates, evaluate_top_candidates, kCard, 1, 2}};
  return kOperators;
}

}  // namespace effdet::ops
