// Results as JSON: an object for each image, in a list or one a line.
#include <nlohmann/json.hpp>

#include "dataset/results/texts.h"
#include "detection/annotate.h"

namespace effdet::dataset::results {
namespace {

constexpr int kIndent = 2;

nlohmann::json json_of(const DetectedImage& image, std::span<const std::string> names) {
  nlohmann::json list = nlohmann::json::array();
  for (const Detection& d : image.detections)
    list.push_back({{"category_id", d.category},
                    {"category", detection::class_name(d.category, names)},
                    {"score", d.score},
                    {"bbox", {d.x1, d.y1, d.x2 - d.x1, d.y2 - d.y1}}});
  nlohmann::json json{
      {"image", image.image}, {"width", image.width}, {"height", image.height}, {"detections", std::move(list)}};
  if (!image.picture.empty()) json["picture"] = image.picture;
  if (!image.key.empty()) json["key"] = image.key;
  if (image.frame >= 0) {
    json["frame"] = image.frame;
    json["seconds"] = image.seconds;
  }
  return json;
}

/// As a part of a list: further in. Texts in JSON have no line ends of their own.
std::string indented(const std::string& text) {
  std::string further(kIndent, ' ');
  for (const char c : text) {
    further += c;
    if (c == '\n') further.append(kIndent, ' ');
  }
  return further;
}

}  // namespace

std::string json_text(const DetectedImage& image, std::span<const std::string> names) {
  return indented(json_of(image, names).dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string jsonl_text(const DetectedImage& image, std::span<const std::string> names) {
  return json_of(image, names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace effdet::dataset::results
