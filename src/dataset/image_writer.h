// Images with what was found in them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>

#include "dataset/class_map.h"
#include "effdet/dataset.h"
#include "eval/ground_truth.h"
#include "vision/image.h"
#include "vision/memory_gate.h"

namespace effdet::dataset {

/// Draws detections with the data set's category names and writes them as JPEG files. Several threads may use it.
class ImageWriter {
 public:
  /// Makes the folder of options.pictures where that is given. classes must outlive the writer.
  ImageWriter(const eval::GroundTruth& dataset, const ClassMap& classes, const ValidateOptions& options);

  bool enabled() const { return !folder_.empty(); }
  /// Waits until there is memory for an image of that size.
  vision::MemoryGate::Hold reserve(vision::ImageSize size);
  /// Throws Error(kIo).
  void write(const eval::ImageRecord& image, vision::Image pixels, std::span<const Detection> detections) const;

 private:
  std::string name_of(int category) const;

  const ClassMap& classes_;
  std::filesystem::path folder_;
  vision::MemoryGate gate_;
  float threshold_;
  std::unordered_map<int64_t, std::string> names_;
};

}  // namespace effdet::dataset
