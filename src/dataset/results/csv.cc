// Results as a table, a line for each detection (RFC 4180).
#include <fmt/format.h>

#include <string_view>

#include "dataset/results/texts.h"
#include "detection/annotate.h"

namespace effdet::dataset::results {
namespace {

std::string field_of(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string whole = "\"";
  for (const char c : text) {
    if (c == '"') whole += '"';
    whole += c;
  }
  return whole + '"';
}

}  // namespace

std::string csv_text(const DetectedImage& image, std::span<const std::string> names) {
  std::string text;
  const std::string name = field_of(image.image);
  for (const Detection& d : image.detections)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{}\n", name, image.width, image.height, d.category,
                        field_of(detection::class_name(d.category, names)), d.score, d.x1, d.y1, d.x2, d.y2);
  return text;
}

}  // namespace effdet::dataset::results
