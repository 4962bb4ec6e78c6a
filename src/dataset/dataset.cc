// Opens a data set, drops images that effdet drops, and checks names that become file names.
#include "dataset/dataset.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "dataset/formats/records.h"
#include "dataset/listed_image.h"
#include "dataset/name_list.h"
#include "effdet/paths.h"
#include "eval/coco_json.h"
#include "vision/exif.h"

namespace effdet::dataset {
namespace {

/// effdet's CocoParserCfg.min_img_size.
constexpr int kMinSide = 32;
/// Of the names of those that are smaller.
constexpr size_t kSkippedShown = 10;

/// Of formats whose annotations are many files.
constexpr std::array<std::string_view, 6> kAnnotationExtensions = {".xml", ".txt", ".csv", ".yaml", ".yml", ".names"};

/// How many images are looked for, until one is there.
constexpr size_t kImagesTried = 8;

/// An image's name relative to a folder that it is in, where the file that it was read from may have a whole path or,
/// from Windows, \ for /.
std::optional<std::string> name_in(const std::filesystem::path& folder, std::string name) {
  if (const auto inside = below(folder, name); inside && is_file(folder / *inside)) return inside->string();
  if (name.find('\\') == std::string::npos) return std::nullopt;
  std::ranges::replace(name, '\\', '/');
  return name_in(folder, std::move(name));
}

/// Of the folders that images may lie in, and the root, the one where they do.
std::filesystem::path folder_of(const eval::GroundTruth& truth, std::vector<std::filesystem::path> folders,
                                const std::filesystem::path& root) {
  const std::filesystem::path usual = first_folder(folders);
  folders.push_back(root);
  for (size_t i = 0; i < std::min(truth.images.size(), kImagesTried); ++i)
    for (const auto& folder : folders)
      if (name_in(folder, truth.images[i].file_name)) return folder;
  return usual;
}

/// Names images relative to their folder, where they have other names and are there.
void settle_names(eval::GroundTruth& truth, const std::filesystem::path& folder) {
  for (eval::ImageRecord& image : truth.images)
    if (image.file_name.starts_with('/') || image.file_name.find('\\') != std::string::npos)
      image.file_name = name_in(folder, image.file_name).value_or(image.file_name);
}

void require_listable(const DataSource& data, const Format& format) {
  if (data.listed.empty()) return;
  if (!data.images.empty()) fail(ErrorCode::kUsage, "the images are either in a folder or in a list, not in both");
  if (format.reads_images)
    fail(ErrorCode::kUsage,
         "images in tar files and lists: only with annotations of COCO's format, and these are of {}", format.name);
}

bool has_size(const eval::ImageRecord& image) { return image.width > 0 && image.height > 0; }

/// Whether the file is one of the images, or a tar file with some of them.
bool is_listed(std::span<const ListedImage> images, const std::filesystem::path& file) {
  const auto is_it = [&](const ListedImage& image) {
    std::error_code ignored;
    return std::filesystem::equivalent(image.file, file, ignored);
  };
  for (size_t i = 0; i < images.size(); ++i)
    if ((i == 0 || images[i].file != images[i - 1].file) && is_it(images[i])) return true;
  return false;
}

}  // namespace

std::string stem_of(const eval::ImageRecord& image) { return std::filesystem::path(image.file_name).stem().string(); }

Dataset::Dataset(const DataSource& data) : source_(data) {
  const Format& format = format_of(data);
  require_listable(data, format);
  const Location location = format.locate(data);
  annotations_ = location.annotations.string();
  truth_ = format.read(data);
  if (!data.listed.empty()) {
    match_.emplace(truth_, source_.listed, annotations_);
  } else {
    image_folder_ = data.images.empty() ? folder_of(truth_, location.image_folders, data.root) : data.images;
    settle_names(truth_, image_folder_);
  }
  complete_sizes();
  for (const int64_t id : truth_.sorted_image_ids()) {
    const eval::ImageRecord* image = truth_.find_image(id);
    if (has_size(*image) && std::min(image->width, image->height) < kMinSide) {
      skipped_.push_back(image->file_name);
    } else {
      images_.push_back(image);
    }
  }
  if (images_.empty()) bad_input("{}: no images with sides of at least {} pixels", annotations_, kMinSide);
}

/// What cannot be read fails when it is opened.
void Dataset::complete_sizes() {
  for (eval::ImageRecord& image : truth_.images) {
    if (has_size(image)) continue;
    try {
      const vision::ImageSize size = size_of_listed(place_of(image));
      image.width = size.width;
      image.height = size.height;
    } catch (const Error&) {
      image.width = image.height = 0;
    }
  }
}

ListedImage Dataset::place_of(const eval::ImageRecord& image) const {
  const auto refuse = [&](std::string_view why) {
    bad_input("{}: image with id {}: {}", annotations_, truth_.image_ids.json_of(image.id), why);
  };
  const std::filesystem::path name(image.file_name);
  if (name.empty() || image.file_name.find('\0') != std::string::npos) refuse("it has no file_name that is one");
  if (!stays_inside(name))
    refuse(fmt::format("file_name '{}' leads out of the folder {}", eval::printable(image.file_name),
                       match_ ? "of the images" : image_folder_.filename().string()));
  if (!match_) return {(image_folder_ / name).string(), ""};
  if (const ListedImage* listed = match_->find(image)) return *listed;
  fail(ErrorCode::kIo, "{}: image with id {}: '{}' is in none of the tar files and lists that were given", annotations_,
       truth_.image_ids.json_of(image.id), eval::printable(image.file_name));
}

std::unique_ptr<vision::RowSource> Dataset::open(const eval::ImageRecord& image) const {
  const ListedImage place = place_of(image);
  int orientation = 1;
  std::unique_ptr<vision::RowSource> rows = open_stored(place, orientation);
  const auto [width, height] = rows->size();
  const std::lock_guard lock(orientations_);
  if (width == image.width && height == image.height) {
    const bool size_tells = vision::swaps_sides(orientation) && width != height;
    if (orientation != 1 && !size_tells) ambiguous_.insert(image.id);
    return rows;
  }
  const bool swapped = width == image.height && height == image.width;
  if (swapped && vision::swaps_sides(orientation)) {
    turned_.insert(image.id);
    return vision::upright(std::move(rows), orientation);
  }
  bad_input("{}: the image has {} x {} pixels, but {} says {} x {} (image id {}); {}", place.name(), width, height,
            annotations_, image.width, image.height, truth_.image_ids.json_of(image.id),
            swapped ? "it was turned after it was annotated: turn it back, or correct size and boxes"
                    : "correct size and boxes in the annotation file, or put the annotated image there");
}

void Dataset::require_folder() const {
  if (match_) return;
  std::error_code error;
  if (!std::filesystem::is_directory(image_folder_, error))
    fail(ErrorCode::kIo, "{}: no folder of that name, where the data set's images should be", image_folder_.string());
}

void Dataset::require_other_file(const std::filesystem::path& output) const {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_regular_file(output, error)) return;  // there is nothing to lose
  const fs::path file = fs::canonical(output, error);
  const auto is_or_holds = [&](const fs::path& place) {
    const fs::path whole = fs::canonical(place, error);
    return !error && std::ranges::mismatch(whole, file).in1 == whole.end();
  };
  bool is_part = is_or_holds(annotations_) && fs::is_regular_file(annotations_, error);
  is_part = is_part || is_listed(source_.listed, file);
  is_part = is_part || (!match_ && is_image_name(file) && is_or_holds(image_folder_));
  if (fs::path(annotations_).extension() != ".json") {  // many files, some of them beside the folder of annotations
    const bool may_be_one = std::ranges::find(kAnnotationExtensions, file.extension()) != kAnnotationExtensions.end();
    is_part = is_part || (may_be_one && (is_or_holds(annotations_) || is_or_holds(source_.root)));
  }
  if (is_part)
    fail(ErrorCode::kUsage, "{}: a file of the data set, which would be lost; give the results another one",
         output.string());
}

void Dataset::require_unique_stems() const {
  std::unordered_map<std::string, const eval::ImageRecord*> owners;
  for (const eval::ImageRecord* image : images_) {
    if (image->file_name.empty()) continue;  // open() refuses it
    const auto [owner, is_new] = owners.emplace(stem_of(*image), image);
    if (!is_new)
      bad_input("{}: images '{}' and '{}' differ only in folder or extension, and would share their files",
                annotations_, eval::printable(owner->second->file_name), eval::printable(image->file_name));
  }
}

std::vector<std::string> Dataset::notes() const {
  std::vector<std::string> notes = truth_.notes;
  if (match_) std::ranges::move(match_->notes(), std::back_inserter(notes));
  if (!skipped_.empty())
    notes.push_back(fmt::format("{}: {} of {} images left out, as in effdet: a side is under {} pixels ({})",
                                annotations_, skipped_.size(), truth_.images.size(), kMinSide,
                                list_of(skipped_, kSkippedShown)));
  return notes;
}

std::vector<std::string> Dataset::orientation_notes() const {
  if (turned_.empty()) return {};
  std::vector<std::string> notes{
      fmt::format("{} of {} images were turned upright by their EXIF orientation: their annotated size is that of the "
                  "upright image",
                  turned_.size(), images_.size())};
  if (!ambiguous_.empty())
    notes.push_back(fmt::format(
        "{} of {} images have an EXIF orientation, but were taken as they are stored, since their size is the same "
        "either way; where they were annotated upright, too, store them upright (exiftran -ai)",
        ambiguous_.size(), images_.size()));
  return notes;
}

}  // namespace effdet::dataset
