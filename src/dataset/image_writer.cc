// Draws detections on images and writes these, as many at a time as memory allows.
#include "dataset/image_writer.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "dataset/dataset.h"
#include "vision/draw.h"
#include "vision/encode.h"

namespace effdet::dataset {

ImageWriter::ImageWriter(const eval::GroundTruth& dataset, const ClassMap& classes, const ValidateOptions& options)
    : classes_(classes), folder_(options.pictures), threshold_(options.picture_threshold) {
  if (!enabled()) return;
  make_folder(folder_);
  for (const eval::Category& category : dataset.categories) names_.emplace(category.id, category.name);
}

vision::MemoryGate::Hold ImageWriter::reserve(vision::ImageSize size) {
  return gate_.enter(uint64_t{3} * static_cast<uint64_t>(size.width) * static_cast<uint64_t>(size.height));
}

void ImageWriter::write(const eval::ImageRecord& image, vision::Image pixels,
                        std::span<const Detection> detections) const {
  std::vector<vision::LabelledBox> boxes;
  for (const Detection& found : detections)
    if (found.score >= threshold_)
      boxes.push_back({found.x1, found.y1, found.x2, found.y2,
                       fmt::format("{} {:.2f}", name_of(found.category), found.score), found.category});
  std::reverse(boxes.begin(), boxes.end());  // the best lie on top
  vision::draw_detections(pixels, boxes);
  write_file(folder_ / (stem_of(image) + ".jpg"), vision::encode_jpeg(pixels), /*sync=*/false);
}

std::string ImageWriter::name_of(int category) const {
  const auto name = names_.find(classes_.category_of(category));
  return name == names_.end() || name->second.empty() ? fmt::format("class {}", category) : name->second;
}

}  // namespace effdet::dataset
