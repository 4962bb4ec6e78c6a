// A data set on disk: annotations/instances_val2017.json and the images in val2017/.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "eval/coco_dataset.h"
#include "vision/image.h"

namespace effdet::pipeline {

/// The name without folder and extension, after which tensors and outputs of an image are named.
std::string stem_of(const CocoImage& image);

class CocoFolder {
 public:
  /// Reads the annotations. Throws as read_coco_dataset(), and Error(kBadInput) where no image is left to work on.
  explicit CocoFolder(std::filesystem::path root);

  const CocoDataset& dataset() const { return dataset_; }
  /// In rising order of ids. Images with a side under 32 are left out, as effdet's parser does; those without boxes are
  /// not.
  const std::vector<const CocoImage*>& images() const { return images_; }
  /// File names of the images that are left out.
  const std::vector<std::string>& skipped() const { return skipped_; }

  std::filesystem::path path_of(const CocoImage& image) const { return root_ / "val2017" / image.file_name; }
  /// Decodes an image. Throws as decode_image(), and Error(kBadInput) where its size is not the annotated one: the
  /// annotated size scales the detections, so that all of the image's boxes would be wrong.
  Image load(const CocoImage& image) const;
  /// Throws Error(kBadInput) where two images share a stem and so would share their files.
  void require_unique_stems() const;

 private:
  std::filesystem::path root_;
  CocoDataset dataset_;
  std::vector<const CocoImage*> images_;
  std::vector<std::string> skipped_;
};

}  // namespace effdet::pipeline
