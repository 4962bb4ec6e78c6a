// Detections drawn on images, and what classes are called there.
#include "detection/annotate.h"

#include <algorithm>

#include "base/error.h"
#include "effdet/detector.h"
#include "eval/coco_categories.h"
#include "vision/draw.h"
#include "vision/rgb_image.h"

namespace effdet::detection {

std::string class_name(int category, std::span<const std::string> class_names) {
  const auto index = static_cast<size_t>(category - 1);
  return index < class_names.size() ? class_names[index] : fmt::format("class {}", category);
}

void check_options(const DrawOptions& options) {
  if (!(options.line_width >= 0 && options.line_width <= 100))
    fail(ErrorCode::kUsage, "a line width of {} is not between 0 and 100", options.line_width);
}

void draw(vision::Image& image, std::span<const Detection> detections, std::span<const std::string> class_names,
          const DrawOptions& options) {
  check_options(options);
  const auto label_of = [&](const Detection& found) {
    if (!options.labels) return std::string();
    const std::string name = class_name(found.category, class_names);
    return options.scores ? fmt::format("{} {:.2f}", name, found.score) : name;
  };
  std::vector<vision::LabelledBox> boxes;
  for (const Detection& found : detections)
    boxes.push_back({found.x1, found.y1, found.x2, found.y2, label_of(found), found.category - 1});
  std::ranges::reverse(boxes);  // the best lie on top
  vision::draw_detections(image, boxes, options.line_width);
}

}  // namespace effdet::detection

namespace effdet {

RgbImage annotate(RgbImage image, std::span<const Detection> detections, std::span<const std::string> class_names,
                  const DrawOptions& options) {
  vision::Image pixels = vision::image_over(image);
  detection::draw(pixels, detections, class_names, options);
  return image;
}

std::vector<std::string> class_names_of(const ModelDescription& description) {
  constexpr int kNumCocoCategories = 80;  // as many classes need not be COCO's
  if (!description.class_names.empty()) return description.class_names;
  std::vector<std::string> names;
  if (description.num_classes != kNumCocoCategories) names = eval::coco_class_names(description.num_classes);
  names.resize(static_cast<size_t>(description.num_classes));
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].empty()) names[i] = fmt::format("class {}", i + 1);
  return names;
}

}  // namespace effdet
