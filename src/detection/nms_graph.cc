// Appends anchors, decoding and NonMaxSuppression to a graph as ONNX nodes.
#include "detection/nms_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "detection/head_decoder.h"
#include "model/metadata.h"
#include "ops/op.h"

namespace effdet::detection {
namespace {

using Ids = std::vector<ir::ValueId>;
using List = std::vector<int64_t>;
using Attributes = std::map<std::string, ir::Attribute>;

constexpr int64_t kMostCandidates = int64_t{1} << 20;
constexpr const char* kDetectionColumns = "x1 y1 x2 y2 score category";
/// What a box scores in the classes that are not its own: below each threshold.
constexpr float kOtherClass = -1;

model::ModelInfo info_of_graph(const ir::Graph& graph) {
  if (!model::has_model_info(graph.metadata)) fail(ErrorCode::kUsage, "the model is no export of this program");
  model::ModelInfo info = model::parse_metadata(graph.metadata, graph.name);
  if (info.selection != model::Selection::kAllClasses)
    fail(ErrorCode::kUnsupported, "the model counts each anchor's best class alone, which --with-nms has no nodes for");
  return info;
}

void check_for_graph(const DetectOptions& options) {
  eval::check_options(options);
  if (options.soft_nms) fail(ErrorCode::kUsage, "ONNX has no operator for soft-NMS");
  for (const int count : {options.max_candidates, options.max_detections})
    if (count > kMostCandidates) fail(ErrorCode::kUsage, "{} boxes are more than {}", count, kMostCandidates);
}

/// Appends the nodes, under "/detect/", image by image. No index goes through arithmetic or comparisons: some runtimes
/// compute these in float32, which loses units above 2^24, and large inputs have more anchors times classes than that.
class NmsBuilder {
 public:
  NmsBuilder(ir::Graph& graph, const DetectOptions& options)
      : graph_(graph), options_(options), info_(info_of_graph(graph)), levels_(graph.outputs.size() / 2) {
    const Shape image = graph.inputs.empty() ? Shape{} : graph.value(graph.inputs[0]).shape.value_or(Shape{});
    if (image.size() != 4 || std::ranges::min(image) < 1 || graph.opset != 11)
      fail(ErrorCode::kUsage, "the model is no export of this program");
    batch_ = image[0];
    height_ = static_cast<float>(image[2]), width_ = static_cast<float>(image[3]);
    const eval::AnchorConfig config = anchor_config(info_, static_cast<int>(image[2]), static_cast<int>(image[3]));
    if (graph.outputs.size() != 2 * eval::feature_sizes(config).size())
      fail(ErrorCode::kUsage, "the model has {} outputs, not the raw ones of its heads", graph.outputs.size());
    anchors_ = eval::make_anchors(config);
    candidates_ = std::min<int64_t>(options.max_candidates, anchor_count() * info_.num_classes);
  }

  void build() {
    make_tables();
    const Ids logits = images("image_logits", join("class", 0, {batch_, -1, info_.num_classes})),
              boxes = images("image_boxes", join("box", levels_, {batch_, -1, 4}));
    Ids found;
    for (size_t i = 0; i < logits.size(); ++i) {
      image_ = "image" + std::to_string(i) + "/";
      found.push_back(detect(logits[i], boxes[i]));
    }
    const ir::ValueId all =
        found.size() == 1 ? found[0] : graph_.add_node("Concat", "/detect/detections", found, {{"axis", int64_t{0}}});
    graph_.value(all).name = "detections";
    graph_.outputs = {all};
  }

 private:
  /// The highest logits of an image, [k] each.
  struct Candidates {
    ir::ValueId anchor, label, score;
  };
  /// What all images share.
  struct Tables {
    ir::ValueId centre, size, classes, no_row;
  };

  int64_t anchor_count() const { return static_cast<int64_t>(anchors_.size()); }

  ir::ValueId node(const char* op, const std::string& name, Ids inputs, Attributes attributes = {}) {
    return graph_.add_node(op, "/detect/" + image_ + name, std::move(inputs), std::move(attributes));
  }
  /// One more output of the node that was added last.
  ir::ValueId another_output(const std::string& name) {
    const ir::ValueId id = graph_.add_value({"/detect/" + image_ + name});
    graph_.nodes.back().outputs.push_back(id);
    return id;
  }
  ir::ValueId constant(const std::string& name, Tensor tensor) {
    std::string path = "detect." + image_ + name;
    std::ranges::replace(path, '/', '.');
    return graph_.add_constant(std::move(path), std::move(tensor));
  }
  ir::ValueId list(const std::string& name, const List& values) {
    return constant(name, Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ir::ValueId number(const std::string& name, float value) { return constant(name, Tensor::scalar(value)); }
  ir::ValueId gather(const std::string& name, ir::ValueId table, ir::ValueId rows, int64_t axis = 0) {
    return node("Gather", name, {table, rows}, {{"axis", axis}});
  }
  ir::ValueId unsqueeze(const std::string& name, ir::ValueId value, int64_t axis) {
    return node("Unsqueeze", name, {value}, {{"axes", List{axis}}});
  }
  ir::ValueId flat(const std::string& name, ir::ValueId value) {
    return node("Reshape", name, {value, list(name + ".shape", {-1})});
  }

  void make_tables() {
    std::vector<float> centres, sizes;
    for (const eval::Box& box : anchors_) {
      centres.insert(centres.end(), {(box.y1 + box.y2) / 2, (box.x1 + box.x2) / 2});
      sizes.insert(sizes.end(), {box.y2 - box.y1, box.x2 - box.x1});
    }
    List classes(static_cast<size_t>(info_.num_classes));
    std::iota(classes.begin(), classes.end(), int64_t{0});
    tables_ = {constant("anchor_centre", Tensor::from<float>({anchor_count(), 2}, centres)),
               constant("anchor_size", Tensor::from<float>({anchor_count(), 2}, sizes)), list("classes", classes),
               constant("no_row", Tensor(DType::kF32, {1, 6}))};
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

  /// A tensor image by image, without the batch's dimension.
  Ids images(const std::string& name, ir::ValueId all) {
    Ids parts{all};
    if (batch_ > 1) {
      parts[0] = node("Split", name, {all}, {{"axis", int64_t{0}}, {"split", List(static_cast<size_t>(batch_), 1)}});
      while (static_cast<int64_t>(parts.size()) < batch_)
        parts.push_back(another_output(name + std::to_string(parts.size())));
    }
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i] = node("Squeeze", name + "/image" + std::to_string(i), {parts[i]}, {{"axes", List{0}}});
    return parts;
  }

  /// The highest logits of [anchors, classes]. Whoever has one of the k highest is among the k anchors whose best
  /// classes score highest; these are put in order again, since of equal logits those of lower anchors come first.
  Candidates choose(ir::ValueId logits) {
    const int64_t kept = std::min(candidates_, anchor_count());
    const ir::ValueId count = list("kept", {kept});
    const ir::ValueId best = node("ReduceMax", "best_class", {logits}, {{"axes", List{1}}, {"keepdims", int64_t{0}}});
    node("TopK", "best_anchors", {best, count}, {{"axis", int64_t{0}}});
    const ir::ValueId top = another_output("best_anchors_place");
    const ir::ValueId anchors = node("TopK", "anchors", {top, count}, {{"axis", int64_t{0}}, {"largest", int64_t{0}}});
    another_output("anchors_place");
    const ir::ValueId rows = gather("rows", logits, anchors);
    const ir::ValueId logit =
        node("TopK", "best", {flat("row_logits", rows), list("candidates", {candidates_})}, {{"axis", int64_t{0}}});
    const ir::ValueId place = another_output("best_place");
    // Each place's anchor and class are looked up.
    const ir::ValueId matrix = list("matrix", {kept, info_.num_classes});
    const ir::ValueId anchor_of = node("Expand", "anchor_of", {unsqueeze("anchor_column", anchors, 1), matrix}),
                      label_of = node("Expand", "label_of", {tables_.classes, matrix});
    return {gather("anchor", flat("anchor_of_place", anchor_of), place),
            gather("label", flat("label_of_place", label_of), place), node("Sigmoid", "score", {logit})};
  }

  /// The candidates' corners [k, 4] as y1, x1, y2, x2 within the input, computed in the order of effdet's
  /// decode_box_outputs.
  ir::ValueId decode(ir::ValueId boxes, ir::ValueId anchor) {
    const ir::ValueId centre = gather("centre", tables_.centre, anchor), size = gather("size", tables_.size, anchor);
    const ir::ValueId deltas = gather("delta", boxes, anchor);
    const ir::ValueId shift = node("Split", "shift", {deltas}, {{"axis", int64_t{1}}, {"split", List{2, 2}}});
    const ir::ValueId growth = another_output("growth");
    const ir::ValueId middle = node("Add", "middle", {node("Mul", "shift_pixels", {shift, size}), centre});
    const ir::ValueId extent = node("Mul", "extent", {node("Exp", "growth_factor", {growth}), size});
    const ir::ValueId half = node("Div", "half_extent", {extent, number("two", 2)});
    const ir::ValueId corners =
        node("Concat", "corners", {node("Sub", "low", {middle, half}), node("Add", "high", {middle, half})},
             {{"axis", int64_t{1}}});
    const std::vector<float> bounds{height_, width_, height_, width_};
    return node("Min", "corners_within",
                {node("Max", "corners_from_0", {corners, number("zero", 0)}),
                 constant("bounds", Tensor::from<float>({4}, bounds))});
  }

  /// [classes, k]: each candidate's score in the row of its own class, so that suppression stays within classes.
  ir::ValueId class_scores(const Candidates& candidates) {
    const ir::ValueId own =
        node("Equal", "is_class", {candidates.label, unsqueeze("class_column", tables_.classes, 1)});
    return node("Where", "class_scores", {own, candidates.score, number("other_class", kOtherClass)});
  }

  /// [k + 1, 6]: x1, y1, x2, y2, score, category of the candidates, and zeros for what is filled up.
  ir::ValueId table(ir::ValueId boxes, const Candidates& candidates) {
    const ir::ValueId xyxy = gather("xyxy", boxes, list("xyxy.order", {1, 0, 3, 2}), 1);
    const ir::ValueId category =
        node("Add", "category", {candidates.label, list("label_offset", {info_.label_offset})});
    const ir::ValueId as_float = node("Cast", "category_float", {category}, {{"to", int64_t{1}}});
    const ir::ValueId rows =
        node("Concat", "candidate_rows",
             {xyxy, unsqueeze("score_column", candidates.score, 1), unsqueeze("category_column", as_float, 1)},
             {{"axis", int64_t{1}}});
    return node("Concat", "rows_and_none", {rows, tables_.no_row}, {{"axis", int64_t{0}}});
  }

  /// One image's rows [1, max_detections, 6]. Candidates stand in order of falling score, so that the best of those
  /// that suppression leaves, class by class, are those with the lowest indices.
  ir::ValueId detect(ir::ValueId logits, ir::ValueId box_outputs) {
    const Candidates candidates = choose(logits);
    const ir::ValueId boxes = decode(box_outputs, candidates.anchor);
    const int64_t most = options_.max_detections;
    // The operator wants scores above a threshold, detect() takes those that are equal to it too.
    const float least = options_.score_threshold > 0 ? std::nextafter(options_.score_threshold, 0.0f) : kOtherClass / 2;
    const ir::ValueId selected =
        node("NonMaxSuppression", "suppression",
             {unsqueeze("boxes", boxes, 0), unsqueeze("scores", class_scores(candidates), 0), list("max_boxes", {most}),
              number("iou_threshold", options_.iou_threshold), number("score_threshold", least)});
    const ir::ValueId found = gather("found", selected, constant("box_column", Tensor::scalar(int64_t{2})), 1);
    const ir::ValueId filler = list("filler", List(static_cast<size_t>(most), candidates_));
    const ir::ValueId filled = node("Concat", "filled", {found, filler}, {{"axis", int64_t{0}}});
    const ir::ValueId chosen =
        node("TopK", "chosen", {filled, list("count", {most})}, {{"axis", int64_t{0}}, {"largest", int64_t{0}}});
    another_output("chosen_place");
    return unsqueeze("image_detections", gather("detections", table(boxes, candidates), chosen), 0);
  }

  ir::Graph& graph_;
  const DetectOptions& options_;
  const model::ModelInfo info_;
  const size_t levels_;
  int64_t batch_ = 0, candidates_ = 0;
  float height_ = 0, width_ = 0;
  std::vector<eval::Box> anchors_;
  Tables tables_{};
  std::string image_;  // the beginning of names, while the nodes of one image are made
};

}  // namespace

void append_nms(ir::Graph& graph, const DetectOptions& options) {
  check_for_graph(options);
  NmsBuilder(graph, options).build();
  tell_rows(graph.metadata);
  graph.metadata["effdet.suppression"] =
      fmt::format(R"({{"iou_threshold":{},"max_candidates":{},"max_detections":{},"score_threshold":{}}})",
                  options.iou_threshold, options.max_candidates, options.max_detections, options.score_threshold);
  ops::infer_shapes(graph);
}

void tell_rows(std::map<std::string, std::string>& metadata) { metadata["effdet.detections"] = kDetectionColumns; }

bool detects_itself(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find("effdet.detections");
  return found != metadata.end() && found->second == kDetectionColumns;
}

}  // namespace effdet::detection
