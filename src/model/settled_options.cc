// Compares options with what a model file has settled.
#include "model/settled_options.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "model/metadata.h"
#include "ops/aipp.h"

namespace effdet::model {
namespace {

/// A model file, with its metadata where it has some of this library.
struct Settled : SettledModel {
  std::optional<ModelInfo> info;
};

[[noreturn]] void refuse(const Settled& settled, std::string_view flag, std::string_view has) {
  fail(ErrorCode::kUsage, "{} is for checkpoints, and {} {}; leave the flag out", flag, settled.path, has);
}

const ModelInfo& info_for(std::string_view flag, const Settled& settled) {
  if (!settled.info) refuse(settled, flag, "is a model that does not say what it has there (no effdet metadata)");
  return *settled.info;
}

void check_model(const std::string& model, const Settled& settled) {
  if (model.empty()) return;
  const std::string& own = info_for("--model", settled).variant;
  if (own != model) refuse(settled, fmt::format("--model {}", model), fmt::format("is a {}", own));
}

void check_classes(int classes, const Settled& settled) {
  if (classes == 0) return;
  const int own = info_for("--num-classes", settled).num_classes;
  if (own != classes) refuse(settled, fmt::format("--num-classes {}", classes), fmt::format("has {} classes", own));
}

void check_size(int height, int width, const Settled& settled) {
  if (height == 0) return;
  if (width == 0) width = height;
  std::string all;
  for (const InputSize& size : settled.sizes) {
    if (size == InputSize{height, width}) return;
    all += fmt::format("{}{} x {}", all.empty() ? "" : ", ", size.height, size.width);
  }
  refuse(settled, fmt::format("--img-size {} {}", height, width),
         all.empty() ? "takes no images" : fmt::format("takes {} (height x width)", all));
}

void check_anchors(const AnchorOptions& anchors, const Settled& settled) {
  if (anchors.empty()) return;
  constexpr const char* kFlags = "--anchor-scale, --scales and --aspect-ratios";
  const ModelInfo& own = info_for(kFlags, settled);
  const bool same = (anchors.anchor_scale == 0 || anchors.anchor_scale == own.anchor_scale) &&
                    (anchors.num_scales == 0 || anchors.num_scales == own.num_scales) &&
                    (anchors.aspect_ratios.empty() || std::ranges::equal(anchors.aspect_ratios, own.aspect_ratios));
  if (!same)
    refuse(settled, fmt::format("one of {}", kFlags),
           fmt::format("has {}, {} and {} ratios", own.anchor_scale, own.num_scales, own.aspect_ratios.size()));
}

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return "bf16";
    case Precision::kFloat16:
      return "fp16";
    case Precision::kInt8:
      return "int8";
    default:
      return "fp32";
  }
}

}  // namespace

void check_settled(const ModelOptions& options, const SettledModel& model) {
  Settled settled{model, {}};
  if (has_model_info(model.metadata)) settled.info = parse_metadata(model.metadata, model.path);
  check_model(options.model, settled);
  check_classes(options.num_classes, settled);
  check_size(options.height, options.width, settled);
  check_anchors(options.anchors, settled);
  if (!options.config.empty())
    refuse(settled, "--act, --head-act, --redundant-bias or --config", "has its network already");
  if (options.ignore_config) refuse(settled, "--ignore-config", "has none of a checkpoint's configuration");
  if (options.use_ema) refuse(settled, "--use-ema", "has one set of weights");
  if (options.precision && model.precision && options.precision != model.precision)
    refuse(settled, "--precision", fmt::format("was compiled for {}", name_of(*model.precision)));
}

std::vector<InputSize> input_sizes(const ir::Graph& graph) {
  if (const auto aipp = ops::input_aipp(graph))  // the images' size may be meant, or the network's
    return {{aipp->source_height, aipp->source_width}, {aipp->output_height(), aipp->output_width()}};
  std::vector<InputSize> sizes;
  for (const ir::ValueId id : graph.inputs) {
    const auto& shape = graph.value(id).shape;
    if (shape && shape->size() == 4) sizes.push_back({(*shape)[2], (*shape)[3]});
  }
  return sizes;
}

}  // namespace effdet::model
