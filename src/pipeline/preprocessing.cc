#include "pipeline/preprocessing.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "model/config.h"

namespace effdet::pipeline {

const model::Variant& variant_of(const InputOptions& options) {
  if (const model::Variant* variant = model::find_variant(options.model)) return *variant;
  std::vector<std::string_view> names;
  for (const model::Variant& variant : model::variants()) names.push_back(variant.name);
  fail(ErrorCode::kUsage, "no model is named '{}'; there are {}", options.model, fmt::join(names, ", "));
}

Preprocessing preprocessing_of(const InputOptions& options) {
  const model::Variant& variant = variant_of(options);
  const int height = options.height != 0 ? options.height : variant.image_height;
  const int width = options.width != 0 ? options.width : options.height != 0 ? options.height : variant.image_width;
  model::check_image_size(variant, height, width);
  return {height, width, variant.mean, variant.std, variant.fill};
}

size_t tensor_size(const Preprocessing& preprocessing) {
  return size_t{3} * static_cast<size_t>(preprocessing.height) * static_cast<size_t>(preprocessing.width);
}

void to_tensor(const Image& image, std::string_view name, const Preprocessing& preprocessing, std::span<float> tensor) {
  try {
    letterbox_to_tensor(image, preprocessing, tensor);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", name, error.what());
  }
}

}  // namespace effdet::pipeline
