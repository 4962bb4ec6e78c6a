// What readers of formats without ids have in common: ids for images, boxes out of arithmetic, notes on boxes left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "effdet/paths.h"
#include "eval/ground_truth.h"
#include "vision/image.h"

namespace effdet::dataset {

/// Gives the images ids by their keys, which are file names without extension: the numbers that they are, where each
/// key is a number (COCO's "000000000139" is 139), else the keys as strings. Each Annotation::image_id is to be the
/// place of its image in truth.images, and becomes its id. Throws Error(kBadInput) that begins with `where` for a key
/// that occurs twice. keys: one for each image.
void settle_image_ids(eval::GroundTruth& truth, std::span<const std::string> keys, const std::string& where);
/// The same with the keys as strings, whatever they are.
void settle_string_ids(eval::GroundTruth& truth, std::span<const std::string> keys, const std::string& where);

/// The categories' names by their ids, in rising order.
std::map<int64_t, std::string> category_names(const eval::GroundTruth& truth);

/// The nearest number of pixels with nine decimals: what sums and products of a file's numbers were meant to be.
double settled(double pixels);

/// A box of two corners; its area is that of the box.
eval::Annotation annotation_between(double left, double top, double right, double bottom);

/// The size of an image as it is to be seen, after its EXIF orientation; zeros where it cannot be read.
vision::ImageSize upright_size(const std::filesystem::path& image);

/// Files below a folder, that are named as pictures, relative to it, sorted. Throws Error(kIo).
std::vector<std::filesystem::path> images_below(const std::filesystem::path& folder);

/// A picture in a folder by its name without extension, relative to the folder; empty where there is none.
std::filesystem::path picture_called(const std::filesystem::path& folder, const std::string& stem);

/// Whether there is a picture in a folder with a file of its name and this extension beside it.
bool has_labelled_picture(const std::filesystem::path& folder, std::string_view extension);

/// Whether a path is relative and does not leave the folder that it is relative to.
bool stays_inside(const std::filesystem::path& name);

/// A path, absolute or not, relative to a folder; nothing where it leads out of it.
std::optional<std::filesystem::path> below(const std::filesystem::path& folder, const std::filesystem::path& name);

/// A number without anything around it. Throws Error(kBadInput) that begins with "where: what".
double parse_number(std::string_view text, const std::string& where, std::string_view what);

/// Whether a number is a whole one from `least` to `most`.
bool is_whole_number(double number, double least, double most);

/// Without the blanks around it.
std::string_view trimmed(std::string_view text);

/// Lines of a text file, at most 64 MiB, that are not blank; where: "a.txt:12", for messages.
void for_each_line(const std::filesystem::path& file,
                   const std::function<void(std::string_view line, const std::string& where)>& action);

/// The parts of a line between blanks.
std::vector<std::string_view> words_of(std::string_view line);

/// The columns of a line of CSV; one in quotes may hold commas, and quotes twice.
std::vector<std::string> csv_columns(std::string_view line);

/// The names of a CSV file's columns, its first line.
class CsvHeader {
 public:
  CsvHeader() = default;
  /// Throws Error(kBadInput), which begins with `where`, for a name that occurs twice; several columns may have none.
  CsvHeader(std::string_view line, const std::string& where);

  bool empty() const { return count_ == 0; }
  /// The place of a column, where there is one of that name.
  std::optional<size_t> find(std::string_view name) const;
  /// Throws Error(kBadInput) where one is missing; `owner` is what has them ("Open Images").
  void require(std::initializer_list<const char*> names, const std::string& where, std::string_view owner) const;
  /// Throws Error(kBadInput) where a line has more or fewer columns.
  void check_line(std::span<const std::string> columns, const std::string& where) const;

 private:
  std::map<std::string, size_t, std::less<>> places_;
  size_t count_ = 0;  ///< with columns that have no name
};

/// Boxes that make no sense, for a note on them.
class LeftOutBoxes {
 public:
  void add(std::string_view reason, const std::string& where);
  /// A line where there are any: "Annotations: 2 boxes left out: no right of left (the first is in a.xml:12)".
  void note(const std::string& file, std::vector<std::string>& notes) const;

 private:
  size_t count_ = 0;
  std::string reason_, first_;
};

}  // namespace effdet::dataset
