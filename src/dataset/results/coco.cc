// Results as COCO's evaluators take them. An image's id is its name: the number that COCO's files are called by, or
// else the name itself.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "dataset/results/texts.h"
#include "effdet/result_format.h"

namespace effdet::dataset::results {
namespace {

nlohmann::json id_of(std::string_view image) {
  constexpr size_t kMostDigits = 18;  // of 64 bits
  const std::string stem = std::filesystem::path(image).stem().string();
  if (stem.empty() || stem.size() > kMostDigits || !std::ranges::all_of(stem, is_digit)) return stem;
  return std::stoll(stem);
}

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string coco_text(const DetectedImage& image, std::span<const std::string>) {
  std::string text;
  for (const Detection& d : image.detections) {
    const nlohmann::json json{{"image_id", id_of(image.image)},
                              {"category_id", d.category},
                              {"bbox", {d.x1, d.y1, d.x2 - d.x1, d.y2 - d.y1}},
                              {"score", d.score}};
    if (!text.empty()) text += ",\n";
    text += text_of(json);
  }
  return text;
}

}  // namespace effdet::dataset::results

std::string effdet::coco_image_id(std::string_view image) {
  return dataset::results::text_of(dataset::results::id_of(image));
}
