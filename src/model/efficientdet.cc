// Recognises checkpoints of EfficientDet, and joins backbone, pyramid and heads to its network.
#include "model/efficientdet.h"

#include <algorithm>

#include "base/error.h"
#include "model/network.h"
#include "model/tensor_names.h"

namespace effdet::model {
namespace {

/// What the last convolution of a head is called, in the variants of that naming: each name once.
std::vector<std::string> predict_names(std::string_view head, std::optional<Naming> naming) {
  std::vector<std::string> names;
  for (const Variant& variant : variants()) {
    if (variant.naming != naming.value_or(variant.naming)) continue;
    std::string name = TensorNames(variant).of(fmt::format("{}.{}.weight", head, predict_module(variant.separable)));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

/// The last convolution of a head, be it separable or not; null where the checkpoint has none.
const checkpoint::NamedTensor* predict_weight(const checkpoint::Checkpoint& checkpoint, std::string_view head,
                                              std::optional<Naming> naming) {
  const std::vector<std::string> names = predict_names(head, naming);
  for (const std::string& name : names) {
    for (const checkpoint::NamedTensor& named : checkpoint.tensors) {
      if (named.name != name) continue;
      if (named.tensor.rank() != 4)
        bad_input("{}: {} has shape {}, not that of a convolution", checkpoint.path, name,
                  shape_text(named.tensor.shape()));
      return &named;
    }
  }
  for (const checkpoint::ForeignTensor& foreign : checkpoint.foreign)
    if (std::ranges::find(names, foreign.name) != names.end())
      fail(ErrorCode::kUnsupported, "{}: {} is {}, a type that weights do not have; convert it with tensor.float()",
           checkpoint.path, foreign.name, foreign.type);
  return nullptr;
}

/// Whose names a checkpoint has that has this name for the last convolution of its class head.
Naming naming_of(std::string_view class_name) {
  const auto effdets = predict_names("class_net", Naming::kEffdet);
  return std::ranges::find(effdets, class_name) != effdets.end() ? Naming::kEffdet : Naming::kZylo117;
}

}  // namespace

std::vector<std::string> efficientdet_landmarks() { return predict_names("class_net", std::nullopt); }

std::optional<CheckpointFacts> match_efficientdet(const checkpoint::Checkpoint& checkpoint) {
  const checkpoint::NamedTensor* class_weight = predict_weight(checkpoint, "class_net", std::nullopt);
  if (class_weight == nullptr) return std::nullopt;
  const auto& [class_name, classes] = *class_weight;
  const Naming naming = naming_of(class_name);
  const checkpoint::NamedTensor* box_weight = predict_weight(checkpoint, "box_net", naming);
  if (box_weight == nullptr)
    bad_input("{}: is not an EfficientDet checkpoint: of its {} tensors none is {}", checkpoint.path,
              checkpoint.tensors.size(), fmt::join(predict_names("box_net", naming), " or "));
  const auto& [box_name, boxes] = *box_weight;
  const int64_t anchors = boxes.dim(0) / 4;
  if (boxes.dim(0) % 4 != 0 || anchors < 1 || anchors > kMaxAnchors)
    bad_input("{}: {} has {} outputs, not four for each of 1..{} anchors", checkpoint.path, box_name, boxes.dim(0),
              kMaxAnchors);
  const int64_t num_classes = classes.dim(0) / anchors;
  if (classes.dim(0) % anchors != 0 || num_classes < 1 || num_classes > kMaxClasses)
    bad_input("{}: {} has {} outputs, not 1..{} classes for each of {} anchors", checkpoint.path, class_name,
              classes.dim(0), kMaxClasses, anchors);
  return CheckpointFacts{find_family(kEfficientDet), static_cast<int>(num_classes), static_cast<int>(anchors),
                         classes.dim(1), naming};
}

void build_efficientdet(ir::Graph& graph, Layers& layers, const Feature& image, const ModelConfig& config) {
  const Variant& variant = config.variant;
  const auto features = build_pyramid(layers, config, build_backbone(layers, variant.backbone, image));
  const auto classes = build_head(layers, config, features, "class_net", config.num_classes);
  const auto boxes = build_head(layers, config, features, "box_net", 4);
  const auto add_outputs = [&](const std::vector<Feature>& outputs, const std::string& prefix) {
    for (size_t i = 0; i < outputs.size(); ++i)
      layers.output(outputs[i], prefix + std::to_string(variant.min_level + static_cast<int>(i)));
  };
  add_outputs(classes, "class_l");
  add_outputs(boxes, "box_l");
  if (variant.backbone.features_expanded) graph.compact();  // nobody reads the last projection
}

}  // namespace effdet::model
