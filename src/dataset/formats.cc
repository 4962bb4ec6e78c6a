// The table of data set formats, and what they have in common.
#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "base/error.h"
#include "dataset/format.h"
#include "effdet/dataset.h"
#include "effdet/paths.h"
#include "eval/coco_json.h"

namespace effdet::dataset {

// One file each, in formats/.
extern const Format kCoco;
extern const Format kLvis;
extern const Format kYolo;
extern const Format kVoc;
extern const Format kOpenImages;

namespace {

constexpr const Format* kFormats[] = {
    &kCoco, &kLvis, &kYolo, &kVoc, &kOpenImages,
};

/// "COCO2017" and "voc2012" are data sets of a format.
std::string name_of_format(std::string_view text) {
  std::string name = lower_case(std::string(text));
  while (!name.empty() && is_digit(name.back())) name.pop_back();
  return name;
}

}  // namespace

std::span<const Format* const> formats() { return kFormats; }

const Format& format_of(const DataSource& data) {
  if (!data.annotations.empty() && data.format.empty())
    return data.annotations.filename().string().starts_with("lvis_") ? kLvis : kCoco;
  const std::string name = name_of_format(data.format);
  const auto found = std::ranges::find_if(kFormats, [&](const Format* format) {
    return data.format.empty() ? format->recognises(data.root) : format->name == name;
  });
  if (found != std::end(kFormats)) return **found;
  if (!data.format.empty())
    fail(ErrorCode::kUsage, "'{}' is no format of data sets; there are {}", eval::printable(data.format),
         dataset_formats());
  return *kFormats[0];
}

std::vector<std::string> names_of_split(const std::string& split) {
  // CVAT's have a capital letter.
  static const std::vector<std::vector<std::string>> kSplits{{"val2017", "val", "valid", "validation", "Validation"},
                                                             {"train2017", "train", "training", "Train"},
                                                             {"test2017", "test", "Test"}};
  std::vector<std::string> names{split};
  for (const auto& same : kSplits) {
    if (std::ranges::find(same, split) == same.end()) continue;
    std::ranges::copy_if(same, std::back_inserter(names), [&](const std::string& name) { return name != split; });
  }
  return names;
}

std::vector<std::string> usual_split_names() {
  std::vector<std::string> all;
  for (const char* split : {"val", "train", "test"}) std::ranges::copy(names_of_split(split), std::back_inserter(all));
  return all;
}

std::string split_called(const std::string& split, const char* val, const char* train, const char* test) {
  for (const char* name : {val, train, test})
    if (const auto names = names_of_split(name); std::ranges::find(names, split) != names.end()) return name;
  return split;
}

void require_split_name(const std::string& split) {
  if (!std::ranges::all_of(split, is_name_character) || split.empty() || split.starts_with('.'))
    fail(ErrorCode::kUsage, "'{}' cannot be the name of a split that is written: letters, digits, '_', '-' and '.' can",
         eval::printable(split));
}

void require_annotations(const Location& place, const DataSource& data) {
  if (!data.annotations.empty() || !is_folder(data.root) || std::filesystem::exists(place.annotations)) return;
  const bool is_known = !data.format.empty() || std::ranges::any_of(kFormats, [&](const Format* format) {
    return format->recognises(data.root);
  });
  fail(ErrorCode::kIo,
       "{}: no such file, nor another that has annotations of the split '{}'; name it (--annotations FILE), or the "
       "split (--split){}",
       place.annotations.string(), eval::printable(data.split),
       is_known ? "" : fmt::format("; formats of data sets are {} (--dataset)", dataset_formats()));
}

std::filesystem::path first_folder(const std::vector<std::filesystem::path>& folders) {
  std::error_code ignored;
  const auto there =
      std::ranges::find_if(folders, [&](const auto& folder) { return std::filesystem::is_directory(folder, ignored); });
  return there == folders.end() ? folders.front() : *there;
}

}  // namespace effdet::dataset

namespace effdet {

std::string dataset_layouts() {
  std::string text;
  for (const dataset::Format* format : dataset::formats()) {
    if (!text.empty()) text += ", or ";
    text += format->layout;
  }
  return text;
}

std::string dataset_formats() {
  std::string text;
  for (const dataset::Format* format : dataset::formats()) {
    if (!text.empty()) text += ", ";
    text += format->name;
  }
  return text;
}

std::filesystem::path image_folder(const DataSource& data) {
  if (!data.images.empty()) return data.images;
  return dataset::first_folder(dataset::format_of(data).locate(data).image_folders);
}

}  // namespace effdet
