#include "api/settled_options.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "model/config.h"
#include "model/metadata.h"
#include "ops/aipp.h"
#include "vision/image.h"

namespace effdet::api {
namespace {

/// What a file has of the things that options say.
struct Settled {
  std::string path;
  std::optional<model::ModelInfo> info;  ///< where the exporter's metadata are there
  std::vector<vision::ImageSize> sizes;  ///< of the input, of each plan
};

[[noreturn]] void refuse(const Settled& settled, std::string_view flag, std::string_view has) {
  fail(ErrorCode::kUsage, "{} is for checkpoints, and {} {}; leave the flag out", flag, settled.path, has);
}

const model::ModelInfo& info_for(std::string_view flag, const Settled& settled) {
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
  for (const vision::ImageSize& size : settled.sizes) {
    if (size == vision::ImageSize{width, height}) return;
    all += fmt::format("{}{} x {}", all.empty() ? "" : ", ", size.height, size.width);
  }
  refuse(settled, fmt::format("--img-size {} {}", height, width),
         all.empty() ? "takes no images" : fmt::format("takes {} (height x width)", all));
}

void check_anchors(const AnchorOptions& anchors, const Settled& settled) {
  if (anchors.empty()) return;
  constexpr const char* kFlags = "--anchor-scale, --scales and --aspect-ratios";
  const model::ModelInfo& own = info_for(kFlags, settled);
  const bool same = (anchors.anchor_scale == 0 || anchors.anchor_scale == own.anchor_scale) &&
                    (anchors.num_scales == 0 || anchors.num_scales == own.num_scales) &&
                    (anchors.aspect_ratios.empty() || std::ranges::equal(anchors.aspect_ratios, own.aspect_ratios));
  if (!same)
    refuse(settled, fmt::format("one of {}", kFlags),
           fmt::format("has {}, {} and {} ratios", own.anchor_scale, own.num_scales, own.aspect_ratios.size()));
}

void check(const ModelOptions& options, const Settled& settled) {
  check_model(options.model, settled);
  check_classes(options.num_classes, settled);
  check_size(options.height, options.width, settled);
  check_anchors(options.anchors, settled);
  if (options.use_ema) refuse(settled, "--use-ema", "has one set of weights");
}

/// Of the shape N x C x H x W.
vision::ImageSize size_of(const Shape& shape) { return {static_cast<int>(shape[3]), static_cast<int>(shape[2])}; }

Settled settled_by(const std::filesystem::path& path, const ir::Graph& graph) {
  Settled settled{.path = path.string(), .info = {}, .sizes = {}};
  if (model::has_model_info(graph.metadata)) settled.info = model::parse_metadata(graph.metadata, settled.path);
  return settled;
}

}  // namespace

void check_settled(const ModelOptions& options, const std::filesystem::path& path, const ir::Graph& model) {
  Settled settled = settled_by(path, model);
  for (const ir::ValueId id : model.inputs) {
    const auto& shape = model.value(id).shape;
    if (shape && shape->size() == 4) settled.sizes.push_back(size_of(*shape));
  }
  check(options, settled);
}

void check_settled(const ModelOptions& options, const std::filesystem::path& path,
                   std::span<const std::shared_ptr<const runtime::Engine>> plans) {
  Settled settled = settled_by(path, plans.front()->program().graph);
  for (const auto& plan : plans) {
    if (const auto aipp = ops::input_aipp(plan->program().graph))  // the images' size may be meant, or the network's
      for (const auto& [height, width] :
           {std::pair(aipp->source_height, aipp->source_width), std::pair(aipp->output_height(), aipp->output_width())})
        settled.sizes.push_back({static_cast<int>(width), static_cast<int>(height)});
    else if (plan->input_count() > 0 && plan->input(0).shape->size() == 4)
      settled.sizes.push_back(size_of(*plan->input(0).shape));
  }
  check(options, settled);
  if (!options.precision) return;
  const auto computes_bfloat16 = [](const ir::Graph& graph) {
    return std::ranges::any_of(graph.nodes, [&](const ir::Node& node) {
      return std::ranges::any_of(node.outputs, [&](ir::ValueId id) { return graph.value(id).dtype == DType::kBF16; });
    });
  };
  const bool bfloat16 = computes_bfloat16(plans.front()->program().graph);
  if (bfloat16 != (*options.precision == Precision::kBfloat16))
    refuse(settled, "--precision", fmt::format("was compiled for {}", bfloat16 ? "bf16" : "fp32"));
}

}  // namespace effdet::api
