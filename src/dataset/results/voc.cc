// Results as Pascal VOC's annotation files, with a score in each object. Coordinates are pixels counted from 1.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "dataset/results/texts.h"
#include "detection/annotate.h"

namespace effdet::dataset::results {
namespace {

/// UTF-8, with U+FFFD for bytes that are none.
std::string valid_utf8(std::string_view text) {
  const std::string json = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(json).get<std::string>();
}

/// XML has no word for control characters, and none for U+FFFE and U+FFFF.
std::string between_tags(std::string_view text) {
  const std::string valid = valid_utf8(text);
  std::string xml;
  for (size_t at = 0; at < valid.size(); ++at) {
    const char c = valid[at];
    const std::string_view three = std::string_view(valid).substr(at, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      xml += '?';
      at += 2;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      xml += '?';
    } else {
      xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    }
  }
  return xml;
}

}  // namespace

std::string voc_text(const DetectedImage& image, std::span<const std::string> names) {
  const std::string file = std::filesystem::path(image.image).filename().string();
  std::string text = fmt::format(
      "<annotation>\n  <filename>{}</filename>\n  <size>\n    <width>{}</width>\n    <height>{}</height>\n"
      "    <depth>3</depth>\n  </size>\n",
      between_tags(file), image.width, image.height);
  for (const Detection& d : image.detections)
    text += fmt::format(
        "  <object>\n    <name>{}</name>\n    <score>{}</score>\n    <bndbox>\n      <xmin>{:.2f}</xmin>\n"
        "      <ymin>{:.2f}</ymin>\n      <xmax>{:.2f}</xmax>\n      <ymax>{:.2f}</ymax>\n    </bndbox>\n  </object>\n",
        between_tags(detection::class_name(d.category, names)), d.score, d.x1 + 1, d.y1 + 1, d.x2, d.y2);
  return text + "</annotation>\n";
}

}  // namespace effdet::dataset::results
