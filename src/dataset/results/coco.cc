// Results as COCO's evaluators take them. An image's id is its name: the number that COCO's files are called by, or
// else the name itself.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "dataset/results/texts.h"

namespace effdet::dataset::results {
namespace {

nlohmann::json id_of(const DetectedImage& image) {
  constexpr size_t kMostDigits = 18;  // of 64 bits
  const std::string stem = std::filesystem::path(image.image).stem().string();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (stem.empty() || stem.size() > kMostDigits || !std::ranges::all_of(stem, is_digit)) return stem;
  return std::stoll(stem);
}

}  // namespace

std::string coco_text(const DetectedImage& image, std::span<const std::string>) {
  std::string text;
  for (const Detection& d : image.detections) {
    const nlohmann::json json{{"image_id", id_of(image)},
                              {"category_id", d.category},
                              {"bbox", {d.x1, d.y1, d.x2 - d.x1, d.y2 - d.y1}},
                              {"score", d.score}};
    if (!text.empty()) text += ",\n";
    text += json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return text;
}

}  // namespace effdet::dataset::results
