// Groups dumped files by image, and reads their values from each format.
#include "dataset/dump_folder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/npy.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxOutputs = 1000;
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 32;

struct DumpName {
  std::string stem;
  int number;
  std::string extension;
};

/// Takes "<stem>_<k>.bin", .npy or .txt apart; nothing for other names.
std::optional<DumpName> parse_name(const fs::path& file) {
  const std::string extension = file.extension().string(), name = file.stem().string();
  if (extension != ".bin" && extension != ".npy" && extension != ".txt") return std::nullopt;
  const size_t underscore = name.rfind('_');
  if (underscore == std::string::npos || underscore == 0) return std::nullopt;
  const char *begin = name.data() + underscore + 1, *end = name.data() + name.size();
  int number = 0;
  const auto [stop, code] = std::from_chars(begin, end, number);
  const bool leading_zero = end - begin > 1 && *begin == '0';
  if (code != std::errc() || stop != end || number < 0 || number > kMaxOutputs || leading_zero) return std::nullopt;
  return DumpName{name.substr(0, underscore), number, extension};
}

std::span<const float> values_of(const MappedFile& file) {
  if (file.size() == 0 || file.size() % sizeof(float) != 0)
    bad_input("{}: {} bytes are no whole number of float32 values", file.path(), file.size());
  return {reinterpret_cast<const float*>(file.bytes().data()), file.size() / sizeof(float)};
}

std::vector<float> parse_values(const std::string& text, const std::string& name) {
  std::vector<float> values;
  const char *at = text.data(), *end = text.data() + text.size();
  const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ','; };
  for (;;) {
    while (at != end && is_blank(*at)) ++at;
    if (at == end) break;
    float value = 0;
    const auto [next, code] = std::from_chars(at, end, value);
    if (code == std::errc::invalid_argument || (next != end && !is_blank(*next)))
      bad_input("{}: offset {}: not a number", name, at - text.data());
    if (code == std::errc::result_out_of_range)
      bad_input("{}: offset {}: the number does not fit in float32", name, at - text.data());
    values.push_back(value);
    at = next;
  }
  if (values.empty()) bad_input("{}: holds no values", name);
  return values;
}

/// A network never gives NaN unless something broke, and the scores would hide where.
void refuse_nan(std::span<const float> values, const fs::path& path) {
  // The sum of comparisons is vectorised; looking for the place is not needed but for the message.
  size_t count = 0;
  for (const float value : values) count += value != value;
  if (count == 0) return;
  const auto first = std::find_if(values.begin(), values.end(), [](float value) { return std::isnan(value); });
  bad_input("{}: {} of {} values are NaN, the first at offset {}", path.string(), count, values.size(),
            (first - values.begin()) * static_cast<ptrdiff_t>(sizeof(float)));
}

}  // namespace

std::vector<uint64_t> Dump::value_counts() const {
  std::vector<uint64_t> counts;
  for (const auto& values : outputs_) counts.push_back(values.size());
  return counts;
}

void Dump::add(const fs::path& path) {
  paths_.push_back(path);
  if (path.extension() == ".txt") {
    parsed_.push_back(
        std::make_unique<std::vector<float>>(parse_values(read_file(path, kMaxTextBytes), path.string())));
    outputs_.emplace_back(*parsed_.back());
  } else if (path.extension() == ".npy") {
    tensors_.push_back(read_npy(path));
    if (tensors_.back().dtype() != DType::kF32)
      fail(ErrorCode::kUnsupported, "{}: holds {}, and outputs are float32", path.string(),
           dtype_name(tensors_.back().dtype()));
    outputs_.push_back(tensors_.back().data<float>());
    if (outputs_.back().empty()) bad_input("{}: holds no values", path.string());
  } else {
    mapped_.emplace_back(path);
    outputs_.push_back(values_of(mapped_.back()));
  }
  refuse_nan(outputs_.back(), path);
}

DumpFolder::DumpFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::directory_iterator entries(folder_, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const auto name = parse_name(entries->path().filename());
    if (!name) continue;
    files_[name->stem][name->extension].emplace(name->number, entries->path());
  }
  if (error) fail(ErrorCode::kIo, "{}: cannot read the folder: {}", folder_.string(), error.message());
}

size_t DumpFolder::file_count(const std::string& stem) const {
  const auto found = files_.find(stem);
  size_t count = 0;
  if (found != files_.end())
    for (const auto& [extension, files] : found->second) count += files.size();
  return count;
}

Dump DumpFolder::read(const std::string& stem, size_t count) const {
  const auto found = files_.find(stem);
  if (found == files_.end()) bad_input("{}: no outputs of image '{}'", folder_.string(), eval::printable(stem));
  const auto& [extension, files] = *found->second.begin();
  if (found->second.size() > 1)
    bad_input("image '{}': both {} and {} are there; remove those of the older run", eval::printable(stem),
              files.begin()->second.string(), found->second.rbegin()->second.begin()->second.string());
  if (files.size() > count)
    bad_input("image '{}': {} output files, but the model has {} outputs ({} is left over); check --model",
              eval::printable(stem), files.size(), count, files.rbegin()->second.string());
  Dump dump;
  const int first = files.begin()->first == 0 ? 0 : 1;
  for (int number = first; number < first + static_cast<int>(count); ++number) {
    const auto file = files.find(number);
    if (file == files.end())
      bad_input("image '{}': {} is missing; the model has {} outputs", eval::printable(stem),
                (folder_ / fmt::format("{}_{}{}", stem, number, extension)).string(), count);
    dump.add(file->second);
  }
  return dump;
}

}  // namespace effdet::dataset
