// Takes a model's description from metadata or from a variant with its defaults.
#include "dataset/input_options.h"

#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/config.h"

namespace effdet::dataset {
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

}  // namespace effdet::dataset
