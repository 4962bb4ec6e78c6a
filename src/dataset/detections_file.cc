// Writes what was found in images as JSON, an image at a time: all of it may be more than memory holds as a tree.
#include "dataset/detections_file.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "detection/annotate.h"

namespace effdet {
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
  return json;
}

/// As a part of a list: further in. Texts in JSON have no line ends of their own.
std::string indented(const std::string& text) {
  std::string further;
  for (const char c : text) {
    further += c;
    if (c == '\n') further.append(kIndent, ' ');
  }
  return further;
}

}  // namespace

void write_detections(std::span<const DetectedImage> images, std::span<const std::string> class_names,
                      const std::function<void(std::string_view)>& write) {
  for (size_t i = 0; i < images.size(); ++i) {
    const nlohmann::json json = json_of(images[i], class_names);
    const std::string text = json.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace);
    write((i == 0 ? "[\n  " : ",\n  ") + indented(text));
  }
  write(images.empty() ? "[]\n" : "\n]\n");
}

}  // namespace effdet

namespace effdet::dataset {

void write_detections_file(const std::filesystem::path& path, std::span<const DetectedImage> images,
                           std::span<const std::string> class_names) {
  AtomicFile file(path);
  write_detections(images, class_names, [&](std::string_view text) { file.write(text); });
  file.commit();
}

}  // namespace effdet::dataset
