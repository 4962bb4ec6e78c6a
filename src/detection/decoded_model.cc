// Recognises DetBenchPredict's and Yet-Another-EfficientDet-Pytorch's exports, and settles what their files leave open.
#include "detection/decoded_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>

#include "base/error.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"
#include "eval/anchors.h"
#include "model/config.h"
#include "model/metadata.h"
#include "ops/op.h"

namespace effdet::detection {
namespace {

constexpr const char* kAssumed = "effdet.assumed";
constexpr const char* kScoredAnchors = "effdet.scored_anchors";
constexpr int kMostLevel = 8;

/// A shape that is known but for its batch, or an empty one.
Shape shape_of(const ir::Graph& graph, ir::ValueId id, size_t rank) {
  const auto& shape = graph.value(id).shape;
  if (graph.value(id).dtype != DType::kF32 || !shape || shape->size() != rank) return {};
  return *shape;
}

/// Of the first input that is a batch of RGB images of a known size.
Shape image_shape(const ir::Graph& graph) {
  constexpr int64_t kMostSide = 65536;
  const auto is_side = [](int64_t side) { return side > 0 && side <= kMostSide; };
  for (const ir::ValueId id : graph.inputs)
    if (const Shape shape = shape_of(graph, id, 4);
        !shape.empty() && shape[1] == 3 && is_side(shape[2]) && is_side(shape[3]))
      return shape;
  return {};
}

const ir::Node* producer_of(const ir::Graph& graph, ir::ValueId id) {
  for (const ir::Node& node : graph.nodes)
    if (std::ranges::find(node.outputs, id) != node.outputs.end()) return &node;
  return nullptr;
}

/// A value that no input changes, computed; nothing for others.
std::optional<Tensor> constant_of(const ir::Graph& graph, ir::ValueId id) {
  if (const Tensor* tensor = graph.constant(id)) return *tensor;
  constexpr size_t kMostNodes = 16;  // an Identity or a few changes of shape: more is a network
  ir::Graph part = graph;
  part.outputs = {id};
  part.compact();
  const auto reads_input = [&](const ir::Node& node) {
    return std::ranges::any_of(
        node.inputs, [&](ir::ValueId input) { return std::ranges::find(part.inputs, input) != part.inputs.end(); });
  };
  if (part.nodes.size() > kMostNodes || std::ranges::any_of(part.nodes, reads_input) ||
      std::ranges::find(part.inputs, part.outputs[0]) != part.inputs.end())
    return std::nullopt;
  part.inputs.clear();
  return ops::run_reference(part, {}).at(0);
}

int64_t cells_of(const eval::AnchorConfig& config) {
  int64_t cells = 0;
  for (const auto& [height, width] : eval::feature_sizes(config)) cells += int64_t{height} * width;
  return cells;
}

/// The levels for which so many anchors would be all; nothing where there are none.
std::optional<int> max_level_for(int64_t anchors, int per_cell, const model::ModelConfig& config) {
  for (int level = config.variant.max_level; level <= kMostLevel; ++level)
    if (cells_of({.max_level = level, .image_height = config.image_height, .image_width = config.image_width}) *
            per_cell ==
        anchors)
      return level;
  return std::nullopt;
}

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

/// Whether the configuration's anchors are those of the model, to a hundredth of a pixel.
bool makes(const eval::AnchorConfig& config, std::span<const float> corners) {
  const std::vector<eval::Box> boxes = eval::make_anchors(config);
  if (boxes.size() * 4 != corners.size()) return false;
  const auto near = [](float a, float b) { return std::abs(a - b) <= 0.01f + 1e-4f * std::abs(b); };
  for (size_t i = 0; i < boxes.size(); ++i)
    if (!near(boxes[i].y1, corners[4 * i]) || !near(boxes[i].x1, corners[4 * i + 1]) ||
        !near(boxes[i].y2, corners[4 * i + 2]) || !near(boxes[i].x2, corners[4 * i + 3]))
      return false;
  return true;
}

/// Scales and ratios by which the anchors of the model are made. corners: top, left, bottom, right of each.
bool fit_anchors(std::span<const float> corners, model::ModelConfig& config) {
  const auto anchors = static_cast<int64_t>(corners.size() / 4);
  for (int level = config.variant.max_level; level <= kMostLevel; ++level) {
    eval::AnchorConfig fit{.max_level = level, .image_height = config.image_height, .image_width = config.image_width};
    const int64_t cells = cells_of(fit), per_cell = anchors / cells;
    if (anchors % cells != 0 || per_cell < 1 || per_cell > model::kMaxAnchors) continue;
    const double stride = 1 << fit.min_level;
    const auto side = [&](int64_t anchor, size_t axis) {
      const auto at = static_cast<size_t>(4 * anchor) + axis;
      return (double{corners[at + 2]} - corners[at]) / stride;
    };
    for (auto scales = static_cast<int>(per_cell); scales >= 1; --scales) {  // ratios are rounded: the fewer the better
      if (per_cell % scales != 0) continue;
      const double base = rounded(std::sqrt(side(0, 0) * side(0, 1)));
      if (!(base > 0)) return false;
      fit.num_scales = scales;
      fit.anchor_scale = {base};
      fit.aspect_ratios.clear();
      for (int64_t i = 0; i < per_cell / scales; ++i)
        fit.aspect_ratios.emplace_back(rounded(side(i, 1) / base), rounded(side(i, 0) / base));
      if (!makes(fit, corners)) continue;
      config.variant.max_level = level;
      config.num_scales = scales;
      config.anchor_scale = base;
      config.aspect_ratios = fit.aspect_ratios;
      return true;
    }
  }
  return false;
}

/// What the options give, on top of the variant that they name or another.
model::ModelConfig config_of(const ModelOptions& options, std::string_view otherwise, const Shape& images) {
  const model::Variant* variant = model::find_variant(options.model.empty() ? otherwise : options.model);
  if (variant == nullptr) fail(ErrorCode::kUsage, "there is no model '{}'", options.model);
  model::ModelConfig config = model::default_config(*variant);
  config.image_height = static_cast<int>(images[2]), config.image_width = static_cast<int>(images[3]);
  model::apply_anchors(options.anchors, config);
  config.class_names = options.class_names;
  return config;
}

/// Settles the number of classes: that of the graph, where it tells.
void settle_classes(model::ModelConfig& config, int64_t of_graph, const ModelOptions& options) {
  const int64_t classes = of_graph > 0 ? of_graph : options.num_classes > 0 ? options.num_classes : 90;
  if (classes > model::kMaxClasses) fail(ErrorCode::kUnsupported, "the model has {} classes", classes);
  config.num_classes = static_cast<int>(classes);
  if (!config.class_names.empty() && config.class_names.size() != static_cast<size_t>(classes))
    fail(ErrorCode::kUsage, "{} class names for {} classes", config.class_names.size(), classes);
}

std::string_view of_colours(const ModelOptions& options) {
  return options.model.empty() ? "; pixels are assumed to be normalised by ImageNet's mean and deviation (--model "
                                 "NAME takes those of another model)"
                               : "";
}

/// Classes of the logits [N, anchors, classes] that a TopK chooses from, or 0.
int64_t classes_chosen_from(const ir::Graph& graph) {
  for (const ir::Node& top : graph.nodes) {
    if (!top.is("TopK")) continue;
    ir::ValueId id = top.inputs.at(0);
    for (const ir::Node* node = producer_of(graph, id);
         node != nullptr && (node->is("Reshape") || node->is("Flatten") || node->is("Cast") || node->is("Identity"));
         node = producer_of(graph, id)) {
      id = node->inputs.at(0);
      if (const Shape shape = shape_of(graph, id, 3); !shape.empty() && shape[1] > shape[2] && shape[2] > 0)
        return shape[2];
    }
  }
  return 0;
}

bool recognise_bench(ir::Graph& graph, const Shape& images, const ModelOptions& options) {
  if (graph.outputs.size() != 1) return false;
  const Shape rows = shape_of(graph, graph.outputs[0], 3);
  const auto has = [&](std::string_view op) {
    return std::ranges::any_of(graph.nodes, [&](const ir::Node& node) { return node.is(op); });
  };
  // Exports of other detectors (Ultralytics' with nms=True) have such rows too, but not the choice of the highest
  // logits before suppression; what their pixels and categories mean differs.
  if (rows.empty() || rows[2] != static_cast<int64_t>(kRowValues) || !has("NonMaxSuppression") || !has("TopK"))
    return false;
  model::ModelConfig config = config_of(options, "tf_efficientdet_d0", images);
  const int64_t classes = classes_chosen_from(graph);
  settle_classes(config, classes, options);
  if (options.model.empty()) config.variant.name = "DetBenchPredict";
  graph.metadata.merge(model::metadata_of(config));
  tell_rows(graph.metadata);
  graph.metadata[kAssumed] = fmt::format(
      "taken for effdet's DetBenchPredict by its output of rows of 6 values behind a NonMaxSuppression{}{}",
      classes == 0 && options.num_classes == 0 ? "; 90 classes are assumed (--num-classes)" : "", of_colours(options));
  return true;
}

/// Outputs by what they look like; -1: there is none.
struct Zylo117Outputs {
  int scores = -1, boxes = -1, anchors = -1;
  Tensor corners;  ///< the constant that output `anchors` is

  explicit Zylo117Outputs(const ir::Graph& graph) {
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const ir::ValueId id = graph.outputs[i];
      const Shape shape = shape_of(graph, id, 3);
      if (shape.empty()) continue;
      const ir::Node* producer = producer_of(graph, id);
      if (producer != nullptr && producer->is("Sigmoid")) {
        scores = static_cast<int>(i);
      } else if (shape[2] == 4) {
        std::optional<Tensor> constant = constant_of(graph, id);
        (constant ? anchors : boxes) = static_cast<int>(i);
        if (constant) corners = *std::move(constant);
      }
    }
  }
};

/// Settles the anchors by the output that has them, or by their number. Returns why there are none that fit; empty:
/// there are.
std::string settle_anchors(const ir::Graph& graph, const Zylo117Outputs& found, int64_t anchors,
                           model::ModelConfig& config) {
  if (found.anchors >= 0) {
    if (fit_anchors(found.corners.data<float>(), config)) return {};
    return fmt::format("the anchors in output '{}' are not of scales 2^(i / n) and a few aspect ratios",
                       graph.value(graph.outputs[static_cast<size_t>(found.anchors)]).name);
  }
  const auto level = max_level_for(anchors, config.anchors(), config);
  if (!level)
    return fmt::format("{} anchors are not those of {} x {} pixels with {} a cell (--scales, --aspect-ratios)", anchors,
                       config.image_height, config.image_width, config.anchors());
  config.variant.max_level = *level;
  return {};
}

bool recognise_zylo117(ir::Graph& graph, const Shape& images, const ModelOptions& options) {
  const Zylo117Outputs found(graph);
  if (found.scores < 0 || found.boxes < 0) return false;
  const auto output = [&](int i) { return graph.outputs[static_cast<size_t>(i)]; };
  const Shape scores = shape_of(graph, output(found.scores), 3), boxes = shape_of(graph, output(found.boxes), 3);
  if (scores[1] < 1 || scores[1] != boxes[1] || scores[2] > model::kMaxClasses) return false;
  model::ModelConfig config = config_of(options, "zylo117_efficientdet_d0", images);
  settle_classes(config, scores[2], options);
  if (const std::string unfit = settle_anchors(graph, found, scores[1], config); !unfit.empty()) {
    if (options.model.empty()) return false;  // other models may have such outputs, too
    fail(ErrorCode::kUnsupported, "{}", unfit);
  }
  const std::string anchors =
      found.anchors >= 0
          ? std::string()
          : fmt::format("; no output has the anchors: a scale of {} is assumed (--anchor-scale)", config.anchor_scale);
  if (options.model.empty()) config.variant.name = "zylo117_efficientdet";
  graph.metadata.merge(model::metadata_of(config));
  graph.metadata[kScoredAnchors] = fmt::format("{} {}", found.scores, found.boxes);
  graph.metadata[kAssumed] = fmt::format(
      "taken for an export of Yet-Another-EfficientDet-Pytorch by its outputs '{}' (scores) and '{}' (boxes){}{}",
      graph.value(output(found.scores)).name, graph.value(output(found.boxes)).name, anchors, of_colours(options));
  return true;
}

}  // namespace

void recognise_decoded(ir::Graph& graph, const ModelOptions& options) {
  if (model::has_model_info(graph.metadata)) return;
  const Shape images = image_shape(graph);
  if (images.empty() || recognise_bench(graph, images, options)) return;
  recognise_zylo117(graph, images, options);
}

std::string assumptions_of(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kAssumed);
  return found == metadata.end() ? "" : found->second;
}

std::optional<ScoredAnchors> scored_anchors_of(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kScoredAnchors);
  if (found == metadata.end()) return std::nullopt;
  const std::string& text = found->second;
  ScoredAnchors outputs{};
  const auto [space, error] = std::from_chars(text.data(), text.data() + text.size(), outputs.scores);
  if (error != std::errc() || space == text.data() + text.size() || *space != ' ') return std::nullopt;
  const auto [end, error2] = std::from_chars(space + 1, text.data() + text.size(), outputs.boxes);
  if (error2 != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return outputs;
}

}  // namespace effdet::detection
