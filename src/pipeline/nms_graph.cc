#include "pipeline/nms_graph.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/metadata.h"
#include "ops/op.h"
#include "pipeline/head_decoder.h"

namespace effdet::pipeline {
namespace {

using Ids = std::vector<ir::ValueId>;
using List = std::vector<int64_t>;
using Attributes = std::map<std::string, ir::Attribute>;

constexpr int64_t kMostCandidates = int64_t{1} << 20;
/// What a box scores in the classes that are not its own: below each threshold.
constexpr float kOtherClass = -1;

model::ModelInfo info_of_graph(const ir::Graph& graph) {
  if (!model::has_model_info(graph.metadata)) fail(ErrorCode::kUsage, "the model is no export of this program");
  model::ModelInfo info = model::parse_metadata(graph.metadata, graph.name);
  if (info.selection != model::Selection::kAllClasses)
    fail(ErrorCode::kUnsupported, "the model counts each anchor's best class alone, which --with-nms has no nodes for");
  return info;
}

void check_options(const DetectOptions& options) {
  if (options.soft_nms) fail(ErrorCode::kUsage, "ONNX has no operator for soft-NMS");
  if (!(options.iou_threshold >= 0 && options.iou_threshold <= 1))
    fail(ErrorCode::kUsage, "an IoU threshold of {} is not between 0 and 1", options.iou_threshold);
  for (const int count : {options.max_candidates, options.max_detections})
    if (count < 1 || count > kMostCandidates)
      fail(ErrorCode::kUsage, "a number of boxes of {} is not between 1 and {}", count, kMostCandidates);
}

/// Appends the nodes, under "/detect/". b is the batch, k the number of candidates, of all anchors and classes.
class NmsBuilder {
 public:
  NmsBuilder(ir::Graph& graph, const DetectOptions& options)
      : graph_(graph), options_(options), info_(info_of_graph(graph)), levels_(graph.outputs.size() / 2) {
    const Shape image = graph.inputs.empty() ? Shape{} : graph.value(graph.inputs[0]).shape.value_or(Shape{});
    if (image.size() != 4 || std::ranges::min(image) < 1 || graph.opset != 11)
      fail(ErrorCode::kUsage, "the model is no export of this program");
    batch_ = image[0];
    height_ = static_cast<float>(image[2]), width_ = static_cast<float>(image[3]);
    const AnchorConfig config = anchor_config(info_, static_cast<int>(image[2]), static_cast<int>(image[3]));
    if (graph.outputs.size() != 2 * feature_sizes(config).size())
      fail(ErrorCode::kUsage, "the model has {} outputs, not the raw ones of its heads", graph.outputs.size());
    anchors_ = make_anchors(config);
    candidates_ = std::min<int64_t>(options.max_candidates, anchor_count() * info_.num_classes);
  }

  void build() {
    choose();
    const ir::ValueId boxes = decode();
    const ir::ValueId score = node("Unsqueeze", "score_row", {score_}, {{"axes", List{1}}});
    const Ids image_boxes = images("image_boxes", boxes), scores = images("image_scores", class_scores(score)),
              tables = images("image_rows", table(boxes, score));
    Ids found;
    for (size_t i = 0; i < image_boxes.size(); ++i) found.push_back(detect(i, image_boxes[i], scores[i], tables[i]));
    const ir::ValueId all = found.size() == 1 ? found[0] : node("Concat", "detections", found, {{"axis", int64_t{0}}});
    graph_.value(all).name = "detections";
    graph_.outputs = {all};
  }

 private:
  int64_t anchor_count() const { return static_cast<int64_t>(anchors_.size()); }

  ir::ValueId node(const char* op, const std::string& name, Ids inputs, Attributes attributes = {}) {
    return graph_.add_node(op, "/detect/" + name, std::move(inputs), std::move(attributes));
  }
  /// One more output of the node that was added last.
  ir::ValueId another_output(const std::string& name) {
    const ir::ValueId id = graph_.add_value({"/detect/" + name});
    graph_.nodes.back().outputs.push_back(id);
    return id;
  }
  ir::ValueId constant(const std::string& name, Tensor tensor) {
    return graph_.add_constant("detect." + name, std::move(tensor));
  }
  ir::ValueId list(const std::string& name, const List& values, Shape shape = {-1}) {
    if (shape == Shape{-1}) shape = {static_cast<int64_t>(values.size())};
    return constant(name, Tensor::from<int64_t>(std::move(shape), values));
  }
  ir::ValueId number(const std::string& name, float value) { return constant(name, Tensor::scalar(value)); }
  ir::ValueId gather(const std::string& name, ir::ValueId table, ir::ValueId rows, int64_t axis) {
    return node("Gather", name, {table, rows}, {{"axis", axis}});
  }

  /// The levels' outputs, from one on, as one tensor: cell by cell, and in a cell anchor by anchor.
  ir::ValueId join(const std::string& name, size_t first, const List& shape) {
    const ir::ValueId target = list(name + ".shape", shape);
    Ids parts;
    for (size_t i = 0; i < levels_; ++i) {
      const std::string level = name + "/level" + std::to_string(i);
      const ir::ValueId nhwc =
          node("Transpose", level + "/nhwc", {graph_.outputs[first + i]}, {{"perm", List{0, 2, 3, 1}}});
      parts.push_back(node("Reshape", level + "/flat", {nhwc, target}));
    }
    return node("Concat", name + "/levels", parts, {{"axis", int64_t{1}}});
  }

  /// The highest logits of each image: anchor, class and score of the candidates, [b, k] each.
  void choose() {
    const ir::ValueId logits = join("class", 0, {batch_, -1});
    const ir::ValueId best = node("TopK", "best", {logits, list("candidates", {candidates_})}, {{"axis", int64_t{1}}});
    const ir::ValueId place = another_output("best_place");
    const ir::ValueId classes = list("class_count", {info_.num_classes});
    anchor_ = node("Div", "anchor", {place, classes});
    label_ = node("Mod", "label", {place, classes});
    score_ = node("Sigmoid", "score", {best});
  }

  /// The candidates' box outputs [b, k, 4]. The images' lists lie behind each other: Gather has one table.
  ir::ValueId deltas() {
    const ir::ValueId all = join("box", levels_, {batch_, -1, 4});
    List first;
    for (int64_t image = 0; image < batch_; ++image) first.push_back(image * anchor_count());
    const ir::ValueId row = node("Add", "row", {anchor_, list("first_row", first, {batch_, 1})});
    return gather("delta", node("Reshape", "all_deltas", {all, list("all_deltas.shape", {-1, 4})}), row, 0);
  }

  /// The candidates' corners [b, k, 4] as y1, x1, y2, x2 within the input, computed in the order of effdet's
  /// decode_box_outputs.
  ir::ValueId decode() {
    std::vector<float> centres, sizes;
    for (const Box& box : anchors_) {
      centres.insert(centres.end(), {(box.y1 + box.y2) / 2, (box.x1 + box.x2) / 2});
      sizes.insert(sizes.end(), {box.y2 - box.y1, box.x2 - box.x1});
    }
    const auto of_anchor = [&](const std::string& name, const std::vector<float>& values) {
      return gather(name, constant(name, Tensor::from<float>({anchor_count(), 2}, values)), anchor_, 0);
    };
    const ir::ValueId centre = of_anchor("anchor_centre", centres), size = of_anchor("anchor_size", sizes);
    const ir::ValueId shift = node("Split", "shift", {deltas()}, {{"axis", int64_t{2}}, {"split", List{2, 2}}});
    const ir::ValueId growth = another_output("growth");
    const ir::ValueId middle = node("Add", "middle", {node("Mul", "shift_pixels", {shift, size}), centre});
    const ir::ValueId extent = node("Mul", "extent", {node("Exp", "growth_factor", {growth}), size});
    const ir::ValueId half = node("Div", "half_extent", {extent, number("two", 2)});
    const ir::ValueId corners =
        node("Concat", "corners", {node("Sub", "low", {middle, half}), node("Add", "high", {middle, half})},
             {{"axis", int64_t{2}}});
    const std::vector<float> bounds{height_, width_, height_, width_};
    return node("Min", "corners_within",
                {node("Max", "corners_from_0", {corners, number("zero", 0)}),
                 constant("bounds", Tensor::from<float>({4}, bounds))});
  }

  /// [b, classes, k]: each candidate's score in the row of its own class, so that suppression stays within classes.
  ir::ValueId class_scores(ir::ValueId score) {
    List classes;
    for (int64_t i = 0; i < info_.num_classes; ++i) classes.push_back(i);
    const ir::ValueId label = node("Unsqueeze", "label_row", {label_}, {{"axes", List{1}}});
    const ir::ValueId own = node("Equal", "is_class", {label, list("classes", classes, {1, info_.num_classes, 1})});
    return node("Where", "class_scores", {own, score, number("other_class", kOtherClass)});
  }

  /// [b, k + 1, 6]: x1, y1, x2, y2, score, category of the candidates, and zeros for what is filled up.
  ir::ValueId table(ir::ValueId boxes, ir::ValueId score) {
    const ir::ValueId xyxy = gather("xyxy", boxes, list("xyxy.order", {1, 0, 3, 2}), 2);
    const ir::ValueId column = node("Transpose", "score_column", {score}, {{"perm", List{0, 2, 1}}});
    const ir::ValueId category = node("Add", "category", {label_, list("label_offset", {info_.label_offset})});
    const ir::ValueId last =
        node("Unsqueeze", "category_column", {node("Cast", "category_float", {category}, {{"to", int64_t{1}}})},
             {{"axes", List{2}}});
    const ir::ValueId rows = node("Concat", "candidate_rows", {xyxy, column, last}, {{"axis", int64_t{2}}});
    return node("Concat", "rows", {rows, constant("no_row", Tensor(DType::kF32, {batch_, 1, 6}))},
                {{"axis", int64_t{1}}});
  }

  /// A tensor image by image, [1, ...] each.
  Ids images(const std::string& name, ir::ValueId all) {
    if (batch_ == 1) return {all};
    const List ones(static_cast<size_t>(batch_), 1);
    Ids result{node("Split", name, {all}, {{"axis", int64_t{0}}, {"split", ones}})};
    while (static_cast<int64_t>(result.size()) < batch_)
      result.push_back(another_output(name + std::to_string(result.size())));
    return result;
  }

  /// One image's rows [1, max_detections, 6]. Candidates stand in order of falling score, so that the best of those
  /// that suppression leaves, class by class, are those with the lowest indices.
  ir::ValueId detect(size_t image, ir::ValueId boxes, ir::ValueId scores, ir::ValueId rows) {
    const std::string at = "image" + std::to_string(image) + "/";
    const int64_t most = options_.max_detections;
    // The operator wants scores above a threshold, detect() takes those that are equal to it too.
    const float least = options_.score_threshold > 0 ? std::nextafter(options_.score_threshold, 0.0f) : kOtherClass / 2;
    const ir::ValueId selected =
        node("NonMaxSuppression", at + "suppression",
             {boxes, scores, list(at + "max_boxes", {most}), number(at + "iou_threshold", options_.iou_threshold),
              number(at + "score_threshold", least)});
    const ir::ValueId found =
        gather(at + "found", selected, constant(at + "box_column", Tensor::scalar(int64_t{2})), 1);
    const ir::ValueId filler = list(at + "filler", List(static_cast<size_t>(most), candidates_));
    const ir::ValueId filled = node("Concat", at + "filled", {found, filler}, {{"axis", int64_t{0}}});
    const ir::ValueId chosen = node("TopK", at + "chosen", {filled, list(at + "count", {most})},
                                    {{"axis", int64_t{0}}, {"largest", int64_t{0}}});
    another_output(at + "chosen_place");
    return gather(at + "detections", rows, chosen, 1);
  }

  ir::Graph& graph_;
  const DetectOptions& options_;
  const model::ModelInfo info_;
  const size_t levels_;
  int64_t batch_ = 0, candidates_ = 0;
  float height_ = 0, width_ = 0;
  std::vector<Box> anchors_;
  ir::ValueId anchor_ = ir::kNoValue, label_ = ir::kNoValue, score_ = ir::kNoValue;
};

}  // namespace

void append_nms(ir::Graph& graph, const DetectOptions& options) {
  check_options(options);
  NmsBuilder(graph, options).build();
  graph.metadata["effdet.detections"] = "x1 y1 x2 y2 score category";
  ops::infer_shapes(graph);
}

}  // namespace effdet::pipeline
