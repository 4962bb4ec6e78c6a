// A data set from one format to another, and what the other does not hold: what was written is read and compared.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "dataset/dataset.h"
#include "dataset/failures.h"
#include "dataset/format.h"
#include "dataset/formats/records.h"
#include "dataset/listed_image.h"
#include "effdet/dataset.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

namespace fs = std::filesystem;

const Format& written_format(const std::string& name) {
  DataSource named;
  named.format = name;
  const Format& format = format_of(named);
  if (format.write == nullptr) fail(ErrorCode::kUnsupported, "data sets are not written in the format {}", name);
  return format;
}

/// Finishes the conversion in one folder.
class Conversion {
 public:
  Conversion(const Dataset& source, const Format& format, const fs::path& out, const ConvertOptions& options,
             const std::string& split)
      : source_(source), format_(format), out_(out), options_(options), split_(split), truth_(source.truth()) {
    report_.notes = std::move(truth_.notes);
  }

  /// Images that cannot be used are left out; where one cannot be written, nothing is.
  void copy_images(const Progress& progress, const OnFailure& on_failure) {
    require_unique_files();
    FailureLog log(on_failure, truth_.images.size());
    std::vector<char> usable;
    for (const eval::ImageRecord& image : truth_.images) {
      usable.push_back(log.attempt([&] { source_.open(image); }) ? 1 : 0);
      if (usable.back() != 0) copy(image);
      if (progress) progress(usable.size(), truth_.images.size());
    }
    log.require_some();
    report_.failures = log.failures();
    keep_images(usable);
    for (std::string& text : source_.orientation_notes()) note(std::move(text));
  }

  ConvertReport write() {
    require_names();
    name_unlisted_images();
    number_images();
    number_annotations();
    if (!format_.holds_crowds)
      leave_out([](const eval::Annotation& annotation) { return annotation.is_crowd; }, "crowds");
    if (!format_.holds_outside) cut_at_borders();
    if (format_.needs_unique_stems) require_unique_names();
    format_.write(out_, truth_, {.description = "converted by effdet", .supercategory = "", .split = split_});
    compare();
    report_.images = truth_.images.size();
    report_.annotations = truth_.annotations.size();
    report_.categories = truth_.categories.size();
    return std::move(report_);
  }

 private:
  void copy(const eval::ImageRecord& image) const {
    const ListedImage from = source_.place_of(image);
    const fs::path to = out_ / format_.written_images(split_) / image.file_name;
    make_folder(to.parent_path());
    if (!options_.link) return write_file(to, *read_listed(from), /*sync=*/false);
    if (!from.member.empty())
      fail(ErrorCode::kUsage, "{}: no link leads into a tar file; convert without --link", from.name());
    std::error_code error;
    fs::create_symlink(fs::absolute(from.file), to, error);
    if (error) fail(ErrorCode::kIo, "{}: {}", to.string(), error.message());
  }

  void require_unique_files() const {
    std::map<std::string, const eval::ImageRecord*> owners;
    for (const eval::ImageRecord& image : truth_.images) {
      const auto [owner, is_new] = owners.emplace(image.file_name, &image);
      if (!is_new && !image.file_name.empty())
        bad_input("{}: the images with ids {} and {} have one file_name: '{}'", source_.annotations(),
                  truth_.image_ids.json_of(owner->second->id), truth_.image_ids.json_of(image.id),
                  eval::printable(image.file_name));
    }
  }

  void require_names() const {
    if (format_.holds_any_names) return;
    if (truth_.categories.empty()) bad_input("{}: no categories, which {} needs", source_.annotations(), format_.name);
    for (const eval::Category& category : truth_.categories)
      if (std::ranges::any_of(category.name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        bad_input("{}: category with id {}: its name '{}' has control characters, which {} does not hold",
                  source_.annotations(), truth_.category_ids.json_of(category.id), eval::printable(category.name),
                  format_.name);
  }

  /// Drops the others, and their annotations.
  void keep_images(const std::vector<char>& usable) {
    size_t place = 0;
    std::erase_if(truth_.images, [&](const eval::ImageRecord&) { return usable[place++] == 0; });
    index_images();
    std::erase_if(truth_.annotations, [&](const eval::Annotation& annotation) {
      return !truth_.image_index.contains(annotation.image_id);
    });
  }

  /// Copies keep their names, since an image's encoding is not changed.
  void name_unlisted_images() {
    const std::string* first = nullptr;
    size_t count = 0;
    for (const eval::ImageRecord& image : truth_.images) {
      const auto& listed = format_.listed_extensions;
      if (listed.empty() || std::ranges::find(listed, lower_extension(image.file_name)) != listed.end()) continue;
      if (count++ == 0) first = &image.file_name;
    }
    if (count > 0)
      note(fmt::format(
          "programs that train with {} look for images named {} and pass over {} of {} (the first is '{}'): "
          "save them as PNG to train with them",
          format_.name, fmt::join(format_.listed_extensions, ", "), count, truth_.images.size(),
          eval::printable(*first)));
  }

  /// Ids of images that are strings, which VOC's and YOLO's are, become numbers where that is wanted.
  void number_images() {
    if (truth_.image_ids.empty() || !format_.holds_image_ids) return;
    if (!options_.number_images)
      return note(fmt::format(
          "ids of images are names, which many programs refuse in {}'s files: --number-images makes numbers "
          "of them",
          format_.name));
    std::map<int64_t, int64_t> numbers;
    for (const int64_t id : truth_.sorted_image_ids()) numbers.emplace(id, static_cast<int64_t>(numbers.size()) + 1);
    for (eval::ImageRecord& image : truth_.images) image.id = numbers.at(image.id);
    for (eval::Annotation& annotation : truth_.annotations) annotation.image_id = numbers.at(annotation.image_id);
    truth_.image_ids = {};
    index_images();
  }

  void index_images() {
    truth_.image_index.clear();
    for (size_t i = 0; i < truth_.images.size(); ++i) truth_.image_index.emplace(truth_.images[i].id, i);
  }

  /// Ids of annotations that are strings or missing become numbers, all of them.
  void number_annotations() {
    const auto is_number = [](const eval::Annotation& annotation) {
      return annotation.id >= eval::StringIds::kLowestNumber && annotation.id != std::numeric_limits<int64_t>::max();
    };
    if (std::ranges::all_of(truth_.annotations, is_number)) return;
    for (size_t i = 0; i < truth_.annotations.size(); ++i) truth_.annotations[i].id = static_cast<int64_t>(i) + 1;
    note("annotations whose ids are no numbers, or missing: they are numbered anew");
  }

  template <typename Takes>
  void leave_out(Takes takes, std::string_view what) {
    const size_t count = std::erase_if(truth_.annotations, takes);
    if (count > 0) note(fmt::format("{} does not hold {}: {} left out", format_.name, what, count));
  }

  void cut_at_borders() {
    size_t cut = 0;
    for (eval::Annotation& annotation : truth_.annotations) {
      const eval::ImageRecord& image = *truth_.find_image(annotation.image_id);
      const auto [x, y, width, height] = annotation.bbox;
      const double left = std::clamp<double>(x, 0, image.width), right = std::clamp<double>(x + width, 0, image.width);
      const double top = std::clamp<double>(y, 0, image.height);
      const double bottom = std::clamp<double>(y + height, 0, image.height);
      const double moved =
          std::max({std::abs(left - x), std::abs(top - y), std::abs(right - x - width), std::abs(bottom - y - height)});
      if (moved < kSame) continue;
      ++cut;
      annotation.bbox = {left, top, right - left, bottom - top};
    }
    if (cut > 0) note(fmt::format("{} does not hold what is outside of an image: {} boxes cut", format_.name, cut));
  }

  void require_unique_names() const {
    std::map<std::string, const eval::ImageRecord*> owners;
    for (const eval::ImageRecord& image : truth_.images) {
      const auto [owner, is_new] = owners.emplace(fs::path(image.file_name).replace_extension().string(), &image);
      if (!is_new)
        bad_input("images '{}' and '{}' differ only in their extensions, and {} names annotations after images",
                  owner->second->file_name, image.file_name, format_.name);
    }
  }

  /// What a reader of the new files finds different.
  void compare() {
    DataSource written(out_);
    written.format = format_.name;
    written.split = split_;
    const eval::GroundTruth read = format_.read(written);
    std::map<std::string, const eval::ImageRecord*> images;
    for (const eval::ImageRecord& image : read.images) images[image.file_name] = &image;
    size_t other_images = 0, other_categories = 0;
    for (const eval::ImageRecord& image : truth_.images) {
      const auto found = images.find(image.file_name);
      if (found == images.end()) fail(ErrorCode::kInternal, "{}: lost in the conversion", image.file_name);
      other_images += truth_.image_ids.json_of(image.id) != read.image_ids.json_of(found->second->id) ? 1 : 0;
    }
    std::set<std::pair<std::string, std::string>> categories;  // several may have one name
    for (const eval::Category& category : read.categories)
      categories.emplace(category.name, read.category_ids.json_of(category.id));
    for (const eval::Category& category : truth_.categories)
      other_categories += categories.contains({category.name, truth_.category_ids.json_of(category.id)}) ? 0 : 1;
    if (read.rules != truth_.rules && truth_.rules == eval::Rules::kLvis)
      note(
          fmt::format("{} does not hold which categories images were searched for, how frequent categories are, and "
                      "which objects are ignored",
                      format_.name));
    note_others("ids of images", other_images, truth_.images.size());
    note_others("ids of categories, or those without boxes", other_categories, truth_.categories.size());
    compare_annotations(read, images);
  }

  /// Of each image they are in the same order.
  void compare_annotations(const eval::GroundTruth& read,
                           const std::map<std::string, const eval::ImageRecord*>& images) {
    std::map<int64_t, std::vector<const eval::Annotation*>> of_image;
    for (const eval::Annotation& annotation : read.annotations) of_image[annotation.image_id].push_back(&annotation);
    std::map<int64_t, size_t> next;
    size_t ids = 0, areas = 0, boxes = 0;
    for (const eval::Annotation& annotation : truth_.annotations) {
      const int64_t image = images.at(truth_.find_image(annotation.image_id)->file_name)->id;
      const size_t place = next[image]++;
      if (place >= of_image[image].size()) {
        ++boxes;
        continue;
      }
      const eval::Annotation& other = *of_image[image][place];
      ids += annotation.id != other.id ? 1 : 0;
      areas += std::abs(annotation.area - other.area) > kSame * std::max(1.0, annotation.area) ? 1 : 0;
      const auto same = [](double a, double b) { return std::abs(a - b) < kSame; };
      boxes += std::ranges::equal(annotation.bbox, other.bbox, same) ? 0 : 1;
    }
    note_others("ids of annotations", ids, truth_.annotations.size());
    note_others("areas other than those of boxes", areas, truth_.annotations.size());
    note_others("boxes", boxes, truth_.annotations.size());
  }

  void note_others(std::string_view what, size_t count, size_t total) {
    if (count > 0) note(fmt::format("{} does not hold {}: {} of {} are others", format_.name, what, count, total));
  }

  void note(std::string text) { report_.notes.push_back(std::move(text)); }

  static constexpr double kSame = 1e-6;  // pixels

  const Dataset& source_;
  const Format& format_;
  const fs::path& out_;
  const ConvertOptions& options_;
  const std::string& split_;
  eval::GroundTruth truth_;
  ConvertReport report_;
};

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

ConvertReport convert_dataset(const DataSource& data, const std::filesystem::path& out, const ConvertOptions& options,
                              const Progress& progress, const OnFailure& on_failure) {
  const dataset::Format& format = dataset::written_format(options.format);
  const std::string& split = options.split.empty() ? data.split : options.split;
  dataset::require_split_name(split);
  const dataset::Dataset source(data);
  source.require_folder();
  std::error_code ignored;
  if (std::filesystem::exists(out, ignored) && !std::filesystem::is_directory(out, ignored))
    fail(ErrorCode::kIo, "{}: it is no folder; give a new one for the converted data set", out.string());
  std::error_code error;
  const bool is_new = !std::filesystem::exists(out, ignored) || std::filesystem::is_empty(out, error);
  if (error) fail(ErrorCode::kIo, "{}: cannot read the folder: {}", out.string(), error.message());
  if (!is_new)
    fail(ErrorCode::kUsage, "{}: this folder is not empty; give a new one for the converted data set", out.string());
  make_folder(out);
  try {
    dataset::Conversion conversion(source, format, out, options, split);
    conversion.copy_images(progress, on_failure);
    return conversion.write();
  } catch (...) {  // nothing half-written stays; the folder was empty
    for (const auto& entry : std::filesystem::directory_iterator(out, ignored))
      std::filesystem::remove_all(entry.path(), ignored);
    throw;
  }
}

}  // namespace effdet
