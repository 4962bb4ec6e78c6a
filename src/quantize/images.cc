// Chooses samples by a shuffle of its own, the same on every machine, and reads them one by one.
#include "quantize/images.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "detection/model_info.h"
#include "fetch/sha256.h"
#include "vision/decode.h"

namespace effdet::quantize {
namespace {

bool is_raw(const std::filesystem::path& file) { return lower_extension(file) == ".bin"; }

/// SplitMix64: well mixed from any seed.
uint64_t next_random(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// `most` of the numbers below count, in rising order: the first of a shuffle, of which only what was moved is kept.
std::vector<size_t> choose(size_t count, size_t most, uint64_t seed) {
  std::vector<size_t> numbers(std::min(count, most));
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  if (most >= count) return numbers;
  std::unordered_map<size_t, size_t> moved;  // by place; elsewhere is the place's own number
  for (size_t i = 0; i < most; ++i) {
    const size_t other = i + static_cast<size_t>(next_random(seed) % (count - i));
    const size_t own = moved.try_emplace(i, i).first->second;
    numbers[i] = std::exchange(moved.try_emplace(other, other).first->second, own);
  }
  std::ranges::sort(numbers);
  return numbers;
}

/// At most the colour of a letterbox and one more.
bool is_blank(std::span<const std::byte> sample, size_t planes) {
  const size_t plane = sample.size() / planes;
  for (size_t p = 0; p < planes; ++p) {
    uint32_t known[2];
    size_t count = 0;
    for (size_t at = p * plane; at + sizeof(uint32_t) <= (p + 1) * plane; at += sizeof(uint32_t)) {
      uint32_t value = 0;
      std::memcpy(&value, sample.data() + at, sizeof value);
      if (std::find(known, known + count, value) != known + count) continue;
      if (count == 2) return false;
      known[count++] = value;
    }
  }
  return true;
}

constexpr size_t kPlanes = 3;

}  // namespace

size_t sample_bytes_of(const ir::Graph& graph) {
  const ir::Value& input = graph.value(graph.inputs.at(0));
  Shape shape = input.shape.value();
  shape.at(0) = 1;
  return Tensor(input.dtype, std::move(shape), nullptr).byte_size();
}

CalibrationImages::CalibrationImages(std::vector<std::filesystem::path> files, size_t most, uint64_t seed,
                                     const ir::Graph& graph, OnFailure on_failure)
    : on_failure_(std::move(on_failure)) {
  if (files.empty()) fail(ErrorCode::kUsage, "there are no images to calibrate with");
  const ir::Value& input = graph.value(graph.inputs.at(0));
  sample_bytes_ = sample_bytes_of(graph);
  if (!std::ranges::all_of(files, is_raw))
    input_.emplace(std::span(&input, 1), graph,
                   detection::model_info(graph.metadata, "calibrate with .bin files, which hold its input"));
  std::ranges::sort(files);
  const auto repeated = std::ranges::unique(files);
  files.erase(repeated.begin(), repeated.end());
  std::vector<size_t> first{0};  // sample of each file, and the number of all
  for (const auto& file : files) {
    std::error_code missing;
    const uintmax_t bytes = is_raw(file) ? std::filesystem::file_size(file, missing) : 0;
    const size_t count = missing || bytes % sample_bytes_ != 0 ? 1 : std::max<size_t>(bytes / sample_bytes_, 1);
    first.push_back(first.back() + count);
  }
  for (const size_t i : choose(first.back(), most, seed)) {
    const auto file = static_cast<size_t>(std::ranges::upper_bound(first, i) - first.begin()) - 1;
    samples_.push_back({files[file], i - first[file]});
  }
}

std::set<std::filesystem::path> CalibrationImages::files() const {
  std::set<std::filesystem::path> files;
  for (const Sample& sample : samples_) files.insert(sample.file);
  return files;
}

std::map<std::string, std::string> CalibrationImages::raw_digests() const {
  std::map<std::string, std::string> digests;
  for (const Sample& sample : samples_) {
    if (!is_raw(sample.file)) continue;
    std::error_code missing;
    if (std::filesystem::file_size(sample.file, missing) < (sample.index + 1) * sample_bytes_ || missing) continue;
    const MappedFile file(sample.file);
    digests[fetch::sha256_of(file.bytes().subspan(sample.index * sample_bytes_, sample_bytes_))] = file.path();
  }
  return digests;
}

void CalibrationImages::read(const Sample& sample, std::span<std::byte> input) const {
  if (!is_raw(sample.file)) return input_->write(*vision::open_image(sample.file), input);
  const MappedFile file(sample.file);
  if (file.size() == 0 || file.size() % sample_bytes_ != 0)
    bad_input("{}: {} bytes, where samples of {} bytes are expected: the model's input is {} float32 numbers",
              file.path(), file.size(), sample_bytes_, sample_bytes_ / sizeof(float));
  std::ranges::copy(file.bytes().subspan(sample.index * sample_bytes_, sample_bytes_), input.begin());
  for (size_t at = 0; at < input.size(); at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, input.data() + at, sizeof value);
    if (!std::isfinite(value))
      bad_input("{}: number {} is NaN or infinite", file.path(), (sample.index * sample_bytes_ + at) / sizeof value);
  }
}

bool CalibrationImages::next(std::span<std::byte> input, std::string& name) {
  while (position_ < samples_.size()) {
    const size_t i = position_++;
    if (failed_.contains(i)) continue;
    name = samples_[i].file.string();
    try {
      read(samples_[i], input);
    } catch (const Error& error) {
      if (!lies_in_the_image(error.code())) throw;
      failed_.insert(i);
      failures_.push_back({error.code(), error.what()});
      if (failures_.size() == samples_.size()) throw Error(failures_.front().code, failures_.front().message);
      if (on_failure_) on_failure_(failures_.back());
      continue;
    }
    if (used_files_.size() + failures_.size() < i + 1) {  // not after a rewind
      used_files_.push_back(samples_[i].file);
      if (is_blank(input, kPlanes)) ++blank_;
    }
    return true;
  }
  return false;
}

void CalibrationImages::require_content() const {
  if (blank_ == used_files_.size())
    bad_input(
        "{}: all {} images of the calibration are of one colour: ranges cannot be learnt from them; give "
        "photographs as the model will see them",
        samples_.at(0).file.string(), blank_);
}

}  // namespace effdet::quantize
