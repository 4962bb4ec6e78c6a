// The formats that data sets come in. Each is a file in formats/ and a row in formats.cc; everything else about a data
// set is the same for all of them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/dataset.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// What a written data set says about itself.
struct Origin {
  std::string description;
  std::string supercategory;  ///< of all its categories
  std::string split = "val";  ///< the part of the data set that it is
};

/// Where a split's files lie, or would lie.
struct Location {
  std::filesystem::path annotations;  ///< file or folder
  /// Folders that ImageRecord::file_name may be relative to, the likeliest first; at least one.
  std::vector<std::filesystem::path> image_folders;
};

struct Format {
  std::string_view name;  ///< in lower case, as --dataset takes it
  /// What the root folder of such a data set holds, for people: "annotations/ and images/".
  std::string_view layout;
  /// Whether a folder looks like a data set of this format, of whatever splits. Opens no file.
  bool (*recognises)(const std::filesystem::path& root);
  /// Where the split's files lie. Throws Error(kIo), Error(kBadInput) where a file says it that cannot be read, or that
  /// has no such split.
  Location (*locate)(const DataSource& data);
  /// Reads the annotations of the split. Throws Error(kIo), Error(kBadInput) that names file and place.
  eval::GroundTruth (*read)(const DataSource& data);
  /// Writes annotations of the split that read() reads, without the images. Throws Error(kIo), and
  /// Error(kBadInput) for names that the format cannot hold. Null for a format that is only read.
  void (*write)(const std::filesystem::path& root, const eval::GroundTruth& truth, const Origin& origin) = nullptr;
  /// The folder in the root that file names of write() are relative to.
  std::string (*written_images)(const std::string& split) = nullptr;
  /// What the names of images end in that its other readers look for, in lower case; none: in anything.
  std::span<const std::string_view> listed_extensions = {};
  bool holds_image_ids = false;    ///< whether write() keeps ids of images, whatever the images are called
  bool holds_crowds = false;       ///< whether write() tells crowds from other boxes
  bool holds_outside = false;      ///< whether write() keeps the parts of boxes outside of their image
  bool holds_any_names = false;    ///< whether write() takes control characters in names, and no categories at all
  bool reads_images = true;        ///< whether read() looks for images in their folder
  bool needs_unique_stems = true;  ///< whether each image has a file of annotations that is named after it
};

/// All formats, in the order in which they are asked whether they recognise a folder. The first one can be written, and
/// is the one that synthetic data sets are in.
std::span<const Format* const> formats();

/// The format of a data set: the one that it names, else the first that recognises the folder, else the first of all,
/// whose errors say what is missing. Throws Error(kUsage) for a name that no format has.
const Format& format_of(const DataSource& data);

/// The names that a split has in files and folders, itself first: "val", "val2017", "valid", "validation",
/// "Validation".
std::vector<std::string> names_of_split(const std::string& split);

/// Those of "val", then of "train" and of "test".
std::vector<std::string> usual_split_names();

/// A split as a format calls it: one of these three names for any of the usual ones, another name as it is.
std::string split_called(const std::string& split, const char* val, const char* train, const char* test);

/// Throws Error(kUsage) for a split that would be no name of files and folders within a data set.
void require_split_name(const std::string& split);

/// Throws Error(kIo), which says what to do, where the root folder is there and its file of annotations is not.
void require_annotations(const Location& place, const DataSource& data);

/// The first of the folders that is there; the first of all where none is.
std::filesystem::path first_folder(const std::vector<std::filesystem::path>& folders);

}  // namespace effdet::dataset
