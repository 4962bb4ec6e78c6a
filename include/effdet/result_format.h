// The forms in which detections are written: JSON, COCO, CSV and others.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/detect_images.h"
#include "effdet/export.h"

namespace effdet {

namespace dataset {
struct ResultFormat;
}

/// The names that DetectImagesOptions::format takes.
EFFDET_API std::vector<std::string> result_formats();
/// What a format writes, in a folder of results: "detections.json"; "labels" for a folder with a file for each image.
/// Throws Error(kUsage) for an unknown name.
EFFDET_API std::string result_file(std::string_view format);

/// The image_id that the format coco gives an image of that name, as JSON has it: the number that the file is called
/// by, or the name itself. Images of one id cannot be told apart in the results.
EFFDET_API std::string coco_image_id(std::string_view image);

/// Writes what was found as text, an image at a time, in the order in which they are given.
class ResultText {
 public:
  /// write: called with the next part of the text, which ends with an image. Throws Error(kUsage) for an unknown format
  /// and for one with a file for each image.
  EFFDET_API ResultText(std::string_view format, std::vector<std::string> class_names,
                        std::function<void(std::string_view)> write);
  EFFDET_API void add(const DetectedImage& image);
  /// After the last image.
  EFFDET_API void end();

 private:
  const dataset::ResultFormat& format_;
  std::vector<std::string> class_names_;
  std::function<void(std::string_view)> write_;
  bool is_empty_ = true;
};

}  // namespace effdet
