// A data set on disk, in any of the formats of format.h.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "dataset/format.h"
#include "dataset/image_match.h"
#include "eval/ground_truth.h"
#include "vision/row_source.h"

namespace effdet::dataset {

/// The name without folder and extension, after which tensors and outputs of an image are named.
std::string stem_of(const eval::ImageRecord& image);

class Dataset {
 public:
  /// Reads the annotations, in the format that data names or that recognises the folder. Sizes that they do not tell
  /// are taken from the images' headers, where these can be read. Throws as format_of() and Format::read();
  /// Error(kBadInput) where no image is left to work on, and as ImageMatch(); Error(kUsage) for a list of images beside
  /// a folder of them, or with a format whose annotations cannot be read without such a folder.
  explicit Dataset(const DataSource& data);
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const DataSource& source() const { return source_; }
  const eval::GroundTruth& truth() const { return truth_; }
  /// File or folder that the annotations come from, for messages.
  const std::string& annotations() const { return annotations_; }
  /// In rising order of ids. Images with a side under 32 are left out, as effdet's parser does; those without boxes are
  /// not.
  const std::vector<const eval::ImageRecord*>& images() const { return images_; }
  /// File names of the images that are left out.
  const std::vector<std::string>& skipped() const { return skipped_; }

  /// Where an image lies. Throws Error(kBadInput) where the annotations give no name, or one that leads out of the
  /// folder; Error(kIo) where it is not among the images that the data set lists.
  ListedImage place_of(const eval::ImageRecord& image) const;
  /// Opens an image. One whose annotated size is that of the image turned upright, as its EXIF orientation says, is
  /// turned: its boxes were drawn on the upright image. Otherwise pixels are as they are stored, as effdet has them.
  /// Throws as place_of() and open_listed(), and Error(kBadInput) for any other size than the annotated one, which
  /// scales the detections. Several threads may open images, and one image more than once.
  std::unique_ptr<vision::RowSource> open(const eval::ImageRecord& image) const;
  /// Throws Error(kIo) where the folder of the images is not there. Nothing is asked of images in a list.
  void require_folder() const;
  /// Throws Error(kUsage) where a file to be written is one of those that the data set is made of, which would be lost.
  void require_other_file(const std::filesystem::path& output) const;
  /// Throws Error(kBadInput) where two images share a stem and so would share their files.
  void require_unique_stems() const;

  /// What was left out of the annotations and of the images, a line each.
  std::vector<std::string> notes() const;
  /// What was done about EXIF orientations while images were opened, a line each.
  std::vector<std::string> orientation_notes() const;

 private:
  void complete_sizes();

  DataSource source_;
  std::filesystem::path image_folder_;
  std::string annotations_;
  eval::GroundTruth truth_;
  std::optional<ImageMatch> match_;  ///< of images in a list
  std::vector<const eval::ImageRecord*> images_;
  std::vector<std::string> skipped_;
  mutable std::mutex orientations_;
  mutable std::set<int64_t> turned_;     ///< ids of images that open() turned
  mutable std::set<int64_t> ambiguous_;  ///< of those with an orientation, but a size that is the same either way
};

}  // namespace effdet::dataset
