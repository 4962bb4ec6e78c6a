// Cuts boxes out of an image and names the files.
#include "dataset/crops.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "detection/annotate.h"
#include "vision/encode.h"

namespace effdet::dataset {
namespace {

/// The box as whole pixels within [0, most].
struct Range {
  int begin, end;
};

/// Empty where a side is no number.
Range pixels_between(float low, float high, int most) {
  if (std::isnan(low) || std::isnan(high)) return {0, 0};
  const auto bounded = [most](float value) { return std::clamp(value, 0.0f, static_cast<float>(most)); };
  return {static_cast<int>(std::floor(bounded(low))), static_cast<int>(std::ceil(bounded(high)))};
}

std::string folder_name(const std::string& class_name) {
  std::string name = class_name;
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20 || std::string_view("/\\:*?\"<>|").find(c) != std::string_view::npos)
      c = '_';
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

}  // namespace

void write_crops(const std::filesystem::path& folder, const std::string& stem, const vision::Image& image,
                 std::span<const Detection> detections, std::span<const std::string> class_names) {
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& found = detections[i];
    const Range x = pixels_between(found.x1, found.x2, image.width()),
                y = pixels_between(found.y1, found.y2, image.height());
    if (x.end <= x.begin || y.end <= y.begin) continue;
    const vision::Image crop = image.part(x.begin, y.begin, x.end, y.end);
    const std::filesystem::path place = folder / folder_name(detection::class_name(found.category, class_names));
    make_folder(place);
    write_file(place / fmt::format("{}_{}.jpg", stem, i + 1), vision::encode_jpeg(crop), /*sync=*/false);
  }
}

}  // namespace effdet::dataset
