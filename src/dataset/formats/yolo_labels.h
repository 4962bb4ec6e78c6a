// What data.yaml and Darknet's obj.data have in common: the names of classes, paths below the root, and label files.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/dataset.h"
#include "eval/ground_truth.h"

namespace effdet::dataset::yolo {

/// What the files say that describe a split of a data set.
struct Description {
  std::filesystem::path file;  ///< that they are in, for messages
  std::vector<std::string> classes;
  std::filesystem::path folder;  ///< in the root, relative to which images are named; empty: the root itself
  bool has_keypoints = false;
  bool drops_repeats = true;  ///< whether a line that is the same as one before it counts
  /// The label file of an image; both relative to the root.
  std::filesystem::path (*labels_of)(const std::filesystem::path& root, const std::filesystem::path& image);
};

/// Whether there is a file or folder of that name.
bool exists_below(const std::filesystem::path& root, const std::filesystem::path& name);

/// The only file in a folder with one of these extensions, or empty.
std::filesystem::path only_file(const std::filesystem::path& folder,
                                std::initializer_list<std::string_view> extensions);

/// Class names, one a line. Throws Error(kIo), Error(kBadInput) for a file without any.
std::vector<std::string> read_names(const std::filesystem::path& file);

/// An image of a list, relative to the root. Throws Error(kBadInput), which begins with `where`, where it leads out.
std::filesystem::path image_below_root(const std::filesystem::path& root, const std::filesystem::path& name,
                                       const std::string& where);

/// images/val/x.jpg -> labels/val/x.txt: the last folder of this name counts. Without one: the file beside the image.
std::filesystem::path labels_beside_images(const std::filesystem::path& image, std::string_view folder = "images");

/// Throws Error(kIo), which says what splits there are instead of data.split.
[[noreturn]] void refuse_split(const DataSource& data, const std::filesystem::path& file,
                               std::span<const std::string> others);

/// The labels of images, which are relative to the root. Throws Error(kIo), Error(kBadInput) that names file and line.
eval::GroundTruth read_labels(const DataSource& data, const Description& description,
                              std::span<const std::filesystem::path> images);

}  // namespace effdet::dataset::yolo
