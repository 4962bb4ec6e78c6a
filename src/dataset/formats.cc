// The table of data set formats.
#include <algorithm>

#include "dataset/format.h"
#include "effdet/dataset.h"

namespace effdet::dataset {

extern const Format kCoco;  // formats/coco.cc

namespace {

constexpr const Format* kFormats[] = {
    &kCoco,
};

}  // namespace

std::span<const Format* const> formats() { return kFormats; }

const Format& format_of(const std::filesystem::path& root) {
  const auto found = std::ranges::find_if(kFormats, [&](const Format* format) { return format->recognises(root); });
  return found == std::end(kFormats) ? *kFormats[0] : **found;
}

}  // namespace effdet::dataset

namespace effdet {

std::string dataset_layouts() {
  std::string text;
  for (const dataset::Format* format : dataset::formats()) {
    if (!text.empty()) text += ", or ";
    text += format->layout;
  }
  return text;
}

std::filesystem::path image_folder(const std::filesystem::path& root) {
  return dataset::format_of(root).image_folder(root);
}

}  // namespace effdet
