// NonMaxSuppression, and ai.effdet::SelectBoxes, which takes a fixed number of its boxes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/operators.h"
#include "ops/util.h"

namespace effdet::ops {
namespace {

void check_boxes(const InferContext& c) {
  for (size_t i = 0; i < 2; ++i)
    if (c.dtype(i) != DType::kF32) node_error(c.node, "input {} has type {}, not float32", i, dtype_name(c.dtype(i)));
  if (known_rank(c, 0, 3) && known_rank(c, 1, 3)) {
    const Shape &boxes = *c.shape(0), &scores = *c.shape(1);
    const auto differ = [](int64_t a, int64_t b) { return a >= 0 && b >= 0 && a != b; };
    if (boxes.size() != 3 || scores.size() != 3 || differ(boxes[2], 4) || differ(boxes[0], scores[0]) ||
        differ(boxes[1], scores[2]))
      node_error(c.node, "boxes of shape {} and scores of {}", shape_text(boxes), shape_text(scores));
  }
  const int64_t center = c.node.get_int("center_point_box", 0);
  if (center != 0 && center != 1) node_error(c.node, "center_point_box is {}", center);
}

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};

/// Any two opposite corners, or centre and size.
Box box_at(const float* p, bool center) {
  if (center) return {p[1] - p[3] / 2, p[0] - p[2] / 2, p[1] + p[3] / 2, p[0] + p[2] / 2};
  return {std::min(p[0], p[2]), std::min(p[1], p[3]), std::max(p[0], p[2]), std::max(p[1], p[3])};
}

float overlap(const Box& a, const Box& b) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1), width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(height > 0) || !(width > 0)) return 0;
  const float both = height * width, all = a.area() + b.area() - both;
  return all > 0 ? both / all : 0;
}

struct Limits {
  double per_class;             ///< boxes; below 1: none
  double iou;                   ///< a box that overlaps a better one of its class by more goes
  std::optional<double> score;  ///< boxes that are not above it are not considered
};

/// Calls keep(image, class, box) for what stays: image by image and class by class, best score first, and of equal ones
/// the first box.
template <typename F>
void suppress(const EvalContext& c, const Limits& limits, F&& keep) {
  if (!(limits.iou >= 0 && limits.iou <= 1)) node_error(c.node, "iou_threshold is {}", limits.iou);
  const int64_t images = c.input(1).dim(0), classes = c.input(1).dim(1), count = c.input(0).dim(1);
  const auto most = static_cast<size_t>(std::clamp(limits.per_class, 0.0, static_cast<double>(count)));
  const bool center = c.node.get_int("center_point_box", 0) != 0;
  std::vector<int64_t> order;
  for (int64_t line = 0; line < images * classes && most > 0; ++line) {
    const float* score = c.input(1).data<float>().data() + line * count;
    const float* boxes = c.input(0).data<float>().data() + line / classes * count * 4;
    order.resize(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    std::erase_if(order,
                  [&](int64_t i) { return std::isnan(score[i]) || (limits.score && !(score[i] > *limits.score)); });
    std::ranges::stable_sort(order, [&](int64_t i, int64_t j) { return score[i] > score[j]; });
    std::vector<Box> kept;
    for (int64_t i : order) {
      const Box candidate = box_at(boxes + i * 4, center);
      if (std::ranges::any_of(kept, [&](const Box& other) { return overlap(candidate, other) > limits.iou; })) continue;
      kept.push_back(candidate);
      keep(line / classes, line % classes, i);
      if (kept.size() == most) break;
    }
  }
}

// --- NonMaxSuppression(boxes, scores, most per class?, iou?, score?) -> [n, 3] of image, class, box

std::vector<Inferred> infer_suppression(const InferContext& c) {
  check_boxes(c);
  return {{DType::kI64, Shape{-1, 3}}};
}

std::optional<double> number(const EvalContext& c, size_t i, std::string_view what) {
  if (!c.has(i) || c.input(i).numel() == 0) return std::nullopt;
  return scalar_value(c.node, c.input(i), what);
}

void evaluate_suppression(const EvalContext& c) {
  const Limits limits{number(c, 2, "max_output_boxes_per_class").value_or(0), number(c, 3, "iou_threshold").value_or(0),
                      number(c, 4, "score_threshold")};
  std::vector<int64_t> rows;
  suppress(c, limits, [&](int64_t image, int64_t label, int64_t box) { rows.insert(rows.end(), {image, label, box}); });
  c.output() = Tensor::from<int64_t>({static_cast<int64_t>(rows.size() / 3), 3}, rows);
}

// --- SelectBoxes(boxes, scores) -> `count` indices of the boxes that stay, the lowest or the first: of a known size

constexpr int64_t kMostSelected = int64_t{1} << 20;

std::vector<Inferred> infer_select_boxes(const InferContext& c) {
  check_boxes(c);
  const int64_t count = c.node.get_int("count", 0);
  if (count < 0 || count > kMostSelected) node_error(c.node, "attribute 'count' is {}", count);
  const std::string order = c.node.get_string("order", "index");
  if (order != "index" && order != "score") node_error(c.node, "attribute 'order' is '{}'", order);
  return {{DType::kI64, Shape{count}}};
}

void evaluate_select_boxes(const EvalContext& c) {
  Limits limits{static_cast<double>(c.node.get_int("max_boxes", 0)), c.node.get_float("iou_threshold", 0), {}};
  if (c.node.find("score_threshold") != nullptr) limits.score = c.node.get_float("score_threshold", 0);
  const bool by_score = c.node.get_string("order", "index") == "score";
  // What a class keeps beyond that is cut off in any case.
  if (by_score) limits.per_class = std::min(limits.per_class, static_cast<double>(c.output().numel()));
  std::vector<int64_t> found;
  suppress(c, limits, [&](int64_t, int64_t, int64_t box) { found.push_back(box); });
  if (!by_score) std::ranges::sort(found);
  const auto out = c.output().mutable_data<int64_t>();
  std::ranges::fill(out, c.node.get_int("filler", 0));
  std::copy_n(found.begin(), std::min(found.size(), out.size()), out.begin());
}

}  // namespace

std::span<const Operator> non_max_suppression_operators() {
  static constexpr Card kNonMaxSuppression{.batch = Batch::kMixes, .heavy = true};
  static constexpr Operator kOperators[] = {
      {"", "NonMaxSuppression", 2, 5, infer_suppression, evaluate_suppression, kNonMaxSuppression, 10},
      {ir::kFusedDomain, "SelectBoxes", 2, 2, infer_select_boxes, evaluate_select_boxes, kNonMaxSuppression},
  };
  return kOperators;
}

}  // namespace effdet::ops
