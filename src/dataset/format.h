// The formats that data sets come in. Each is a file in formats/ and a row in formats.cc; everything else about a data
// set is the same for all of them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "eval/ground_truth.h"

namespace effdet::dataset {

/// What a written data set says about itself.
struct Origin {
  std::string description;
  std::string supercategory;  ///< of all its categories
};

struct Format {
  std::string_view name;
  /// What the root folder of such a data set holds, for people: "annotations/ and images/".
  std::string_view layout;
  /// Whether a folder looks like a data set of this format. Opens no file.
  bool (*recognises)(const std::filesystem::path& root);
  /// Folder of the images; ImageRecord::file_name is relative to it.
  std::filesystem::path (*image_folder)(const std::filesystem::path& root);
  /// File or folder of the annotations.
  std::filesystem::path (*annotations)(const std::filesystem::path& root);
  /// Reads the annotations. Throws Error(kIo), Error(kBadInput) that names file and place.
  eval::GroundTruth (*read)(const std::filesystem::path& root);
  /// Writes annotations that read() reads, without the images. Null for a format that is only read.
  void (*write)(const std::filesystem::path& root, const eval::GroundTruth& truth, const Origin& origin) = nullptr;
};

/// All formats, in the order in which they are asked whether they recognise a folder. The first one can be written, and
/// is the one that synthetic data sets are in.
std::span<const Format* const> formats();

/// The format of a data set: the first that recognises the folder, else the first of all, whose errors say what is
/// missing.
const Format& format_of(const std::filesystem::path& root);

}  // namespace effdet::dataset
