#include "pipeline/preprocessing.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "model/config.h"

namespace effdet::pipeline {

namespace {

/// The member of the family of that name. Throws Error(kUsage) that lists the members.
const model::Variant& variant_named(std::string_view name) {
  if (const model::Variant* variant = model::find_variant(name)) return *variant;
  std::vector<std::string_view> names;
  for (const model::Variant& variant : model::variants()) names.push_back(variant.name);
  fail(ErrorCode::kUsage, "no model is named '{}'; there are {}", name, fmt::join(names, ", "));
}

}  // namespace

model::ModelInfo info_of(const InputOptions& options) {
  model::ModelInfo info;
  if (options.metadata.empty()) {
    info = model::info_of(model::default_config(variant_named(options.model)));
  } else {
    if (!model::has_model_info(options.metadata))
      fail(ErrorCode::kUnsupported, "{}: has no effdet metadata; export the checkpoint with pth2onnx", options.model);
    info = model::parse_metadata(options.metadata, options.model);
  }
  if (options.height != 0) info.image_height = options.height;
  if (options.width != 0 || options.height != 0) info.image_width = options.width != 0 ? options.width : options.height;
  model::check_image_size(variant_named(info.variant), info.image_height, info.image_width);
  return info;
}

vision::Preprocessing input_of(const model::ModelInfo& info) {
  return input_of(info, info.image_height, info.image_width);
}

vision::Preprocessing input_of(const model::ModelInfo& info, int height, int width) {
  return {height, width, info.mean, info.std, info.fill, info.interpolation == model::Interpolation::kSampled};
}

size_t tensor_size(const vision::Preprocessing& preprocessing) {
  return size_t{3} * static_cast<size_t>(preprocessing.height) * static_cast<size_t>(preprocessing.width);
}

}  // namespace effdet::pipeline
