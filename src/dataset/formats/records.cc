// Ids, boxes and image files of data sets whose formats have no ids of their own.
#include "dataset/formats/records.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "effdet/image.h"
#include "eval/coco_json.h"
#include "vision/decode.h"
#include "vision/exif.h"
#include "vision/formats.h"

namespace effdet::dataset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr uint64_t kTextLimit = 64 << 20;

std::optional<int64_t> number_of(const std::string& key) {
  constexpr size_t kDigits = 18;  // all numbers of so many fit
  if (key.empty() || key.size() > kDigits || key.find_first_not_of("0123456789") != std::string::npos) return {};
  return std::stoll(key);
}

/// The numbers that all keys are, each once; empty where they are not.
std::vector<int64_t> numbers_of(std::span<const std::string> keys) {
  std::vector<int64_t> numbers;
  for (const std::string& key : keys) {
    const auto number = number_of(key);
    if (!number) return {};
    numbers.push_back(*number);
  }
  std::vector<int64_t> sorted = numbers;
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) == sorted.end() ? numbers : std::vector<int64_t>{};
}

std::vector<int64_t> strings_of(std::span<const std::string> keys, eval::StringIds& strings, const std::string& where) {
  std::vector<std::string> sorted(keys.begin(), keys.end());
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    bad_input("{}: image '{}' is there twice, listed twice or with two extensions", where, eval::printable(*twice));
  for (const std::string& key : sorted) strings.add(key);  // in order, so that ids sort as strings do
  std::vector<int64_t> ids;
  for (const std::string& key : keys) ids.push_back(strings.find(key));
  return ids;
}

/// Gives the images their ids, and the annotations those of their images.
void set_image_ids(eval::GroundTruth& truth, std::span<const int64_t> ids) {
  for (size_t i = 0; i < ids.size(); ++i) {
    truth.images[i].id = ids[i];
    truth.image_index.emplace(ids[i], i);
  }
  for (eval::Annotation& annotation : truth.annotations)
    annotation.image_id = truth.images.at(static_cast<size_t>(annotation.image_id)).id;
}

}  // namespace

void settle_image_ids(eval::GroundTruth& truth, std::span<const std::string> keys, const std::string& where) {
  if (const std::vector<int64_t> ids = numbers_of(keys); !ids.empty()) return set_image_ids(truth, ids);
  settle_string_ids(truth, keys, where);
}

void settle_string_ids(eval::GroundTruth& truth, std::span<const std::string> keys, const std::string& where) {
  set_image_ids(truth, strings_of(keys, truth.image_ids, where));
}

std::map<int64_t, std::string> category_names(const eval::GroundTruth& truth) {
  std::map<int64_t, std::string> names;
  for (const eval::Category& category : truth.categories) names[category.id] = category.name;
  return names;
}

double settled(double pixels) {
  constexpr double kDecimals = 1e9;
  return std::abs(pixels) < 1e6 ? std::round(pixels * kDecimals) / kDecimals : pixels;
}

eval::Annotation annotation_between(double left, double top, double right, double bottom) {
  eval::Annotation annotation;
  annotation.bbox = {settled(left), settled(top), settled(right - left), settled(bottom - top)};
  annotation.area = annotation.bbox[2] * annotation.bbox[3];
  return annotation;
}

vision::ImageSize upright_size(const fs::path& image) try {
  const MappedFile file(image);
  const vision::ImageSize size = vision::read_image_size(file.bytes(), file.path());
  if (!vision::swaps_sides(vision::image_orientation(file.bytes()))) return size;
  return {size.height, size.width};
} catch (const Error&) {
  return {0, 0};
}

std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> images;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (is_image_name(entry->path())) images.push_back(entry->path().lexically_relative(folder));
  if (error) fail(ErrorCode::kIo, "{}: cannot read the folder: {}", folder.string(), error.message());
  std::ranges::sort(images);
  return images;
}

fs::path picture_called(const fs::path& folder, const std::string& stem) {
  const auto upper = [](std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return text;
  };
  for (const vision::ImageFormat& format : vision::image_formats())
    for (const std::string_view extension : format.extensions)
      for (const std::string& name : {stem + std::string(extension), stem + upper(std::string(extension))})
        if (is_image_name(name) && is_file(folder / name)) return name;
  return {};
}

bool has_labelled_picture(const fs::path& folder, std::string_view extension) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_image_name(entry.path()) && is_file(fs::path(entry.path()).replace_extension(extension))) return true;
  return false;
}

bool stays_inside(const fs::path& name) {
  return !name.is_absolute() && std::find(name.begin(), name.end(), "..") == name.end();
}

std::optional<fs::path> below(const fs::path& folder, const fs::path& name) {
  fs::path below = name.lexically_normal();
  if (below.is_absolute()) {
    std::error_code ignored;
    below = below.lexically_relative(fs::absolute(folder, ignored).lexically_normal());
  }
  if (below.empty() || !stays_inside(below)) return {};
  return below;
}

double parse_number(std::string_view text, const std::string& where, std::string_view what) {
  const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value))
    bad_input("{}: {} '{}' is no number", where, what, eval::printable(text));
  return value;
}

bool is_whole_number(double number, double least, double most) {
  return number >= least && number <= most && number == std::floor(number);
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

void for_each_line(const fs::path& file,
                   const std::function<void(std::string_view line, const std::string& where)>& action) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // what some editors begin a text of UTF-8 with
  const std::string text = read_file(file, kTextLimit);
  size_t number = 0;
  for (size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (const std::string_view content = trimmed(line); !content.empty())
      action(content, fmt::format("{}:{}", file.string(), number));
  }
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::vector<std::string> csv_columns(std::string_view line) {
  std::vector<std::string> columns(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool twice = quoted && line.substr(i).starts_with("\"\"");
    if (line[i] == '"' && !twice) {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      columns.emplace_back();
    } else {
      columns.back() += line[i];
      i += twice ? 1 : 0;
    }
  }
  return columns;
}

CsvHeader::CsvHeader(std::string_view line, const std::string& where) {
  for (const std::string& name : csv_columns(line))
    if (const size_t place = count_++; !name.empty() && !places_.emplace(name, place).second)
      bad_input("{}: column '{}' occurs twice", where, eval::printable(name));
}

std::optional<size_t> CsvHeader::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

void CsvHeader::require(std::initializer_list<const char*> names, const std::string& where,
                        std::string_view owner) const {
  for (const char* name : names)
    if (!find(name)) bad_input("{}: no column {}, which {} have", where, name, owner);
}

void CsvHeader::check_line(std::span<const std::string> columns, const std::string& where) const {
  if (columns.size() != count_) bad_input("{}: {} columns, not {}", where, columns.size(), count_);
}

void LeftOutBoxes::add(std::string_view reason, const std::string& where) {
  if (count_++ > 0) return;
  reason_ = reason;
  first_ = where;
}

void LeftOutBoxes::note(const std::string& file, std::vector<std::string>& notes) const {
  if (count_ > 0)
    notes.push_back(fmt::format("{}: {} boxes left out: {} (the first is {})", file, count_, reason_, first_));
}

}  // namespace effdet::dataset
