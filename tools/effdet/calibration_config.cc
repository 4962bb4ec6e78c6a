// Reads lines "field: value" and one block of them.
#include "calibration_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "atc_options.h"
#include "calibration_options.h"
#include "cli.h"
#include "effdet/quantize.h"
#include "effdet/text_file.h"

namespace effdet::cli {
namespace {

constexpr std::string_view kFirstLayer = "enable_first_layer_quantization", kBlock = "calibration";
constexpr std::array<std::string_view, 8> kFields = {"input_data_dir",  "input_shape", "infer_soc",  "infer_aicore_num",
                                                     "infer_device_id", "infer_ip",    "infer_port", "log"};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path) { config_.file = path; }

  CalibrationConfig read() {
    std::istringstream lines(read_text_file(config_.file));
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      read_line(trimmed(std::string_view(line).substr(0, line.find('#'))));
    }
    if (place_ == Place::kInside || place_ == Place::kBefore) fail("calibration { is not closed");
    if (place_ == Place::kOutside) fail("there is no calibration { ... }");
    if (config_.data.empty()) fail("calibration has no input_data_dir");
    return config_;
  }

 private:
  enum class Place { kOutside, kBefore, kInside, kAfter };

  [[noreturn]] void fail(std::string_view reason) const {
    throw Error(ErrorCode::kBadInput, fmt::format("{}:{}: {}", config_.file, number_, reason));
  }

  void read_line(std::string_view line) {
    if (line.empty()) return;
    if (place_ == Place::kBefore) {
      if (line.front() != '{') fail("calibration: is to be followed by {");
      place_ = Place::kInside;
      return read_line(trimmed(line.substr(1)));
    }
    if (place_ == Place::kInside && line.back() == '}') {
      const std::string_view last = trimmed(line.substr(0, line.size() - 1));
      if (last.ends_with('}')) fail("calibration { is closed twice");
      read_line(last);
      place_ = Place::kAfter;
      return;
    }
    const size_t colon = line.find_first_of(":{");
    if (colon == line.npos) fail(fmt::format("'{}' is not of the form field: value", line));
    const std::string field(trimmed(line.substr(0, colon)));
    const std::string_view value = trimmed(line.substr(colon + (line[colon] == ':')));
    if (!seen_.emplace(field, number_).second) fail(fmt::format("{} stands there twice", field));
    place_ == Place::kInside ? take_inside(field, std::string(value)) : take_outside(field, value);
  }

  void take_outside(const std::string& field, std::string_view value) {
    if (field == kBlock) {
      place_ = Place::kBefore;
      return read_line(value);
    }
    if (field != kFirstLayer) fail(fmt::format("there is no field '{}' here", field));
    if (value != "true" && value != "false") fail(fmt::format("{} is '{}', not true or false", field, value));
    config_.without_effect.push_back(field);
  }

  void take_inside(const std::string& field, const std::string& value) {
    if (field == "config_file")
      fail("config_file is not supported: layers that stay float32 are given to effdet quantize, with --keep-float");
    if (std::ranges::find(kFields, field) == kFields.end())
      fail(fmt::format("there is no field '{}' in calibration, but {}", field, fmt::join(kFields, ", ")));
    if (value.empty()) fail(fmt::format("{} is empty", field));
    if (field == "input_data_dir") {
      if (value.find(',') != value.npos)
        fail("input_data_dir names several inputs' files, and the model has one input");
      config_.data = value;
    } else if (field == "input_shape") {
      take_shape(value);
    } else if (field != "log" && field != "infer_soc") {
      config_.without_effect.push_back(field);
    }
  }

  void take_shape(const std::string& value) {
    const size_t colon = value.rfind(':');
    if (value.find(';') != value.npos) fail("input_shape names several inputs, and the model has one");
    if (colon == value.npos || colon == 0) fail("input_shape is not of the form name:16,3,512,512");
    config_.input = trimmed(std::string_view(value).substr(0, colon));
    try {
      config_.shape = parse_shape("input_shape", value.substr(colon + 1));
    } catch (const Error& error) {
      fail(error.what());
    }
  }

  CalibrationConfig config_;
  std::map<std::string, int> seen_;
  Place place_ = Place::kOutside;
  int number_ = 0;
};

/// The file's shape says how many samples there are; the others must be the model's.
void check_shape(const OnnxModel& model, const CalibrationConfig& config) {
  if (config.input.empty() || model.inputs().size() != 1) return;  // quantize() says that it takes one
  const TensorInfo input = model.inputs().at(0);
  if (config.input != input.name)
    throw Error(ErrorCode::kBadInput, fmt::format("{}: input_shape names '{}', and the model's input is '{}'",
                                                  config.file, config.input, input.name));
  if (config.shape.size() != input.shape.size() ||
      !std::equal(config.shape.begin() + 1, config.shape.end(), input.shape.begin() + 1))
    throw Error(ErrorCode::kBadInput, fmt::format("{}: input_shape is {}, and an image of the model is {}", config.file,
                                                  shape_text(config.shape), shape_text(input.shape)));
}

}  // namespace

CalibrationConfig read_calibration_config(const std::string& path) { return ConfigReader(path).read(); }

void quantize(OnnxModel& model, const CalibrationConfig& config) {
  check_shape(model, config);
  QuantizeOptions options{.calibration = calibration_files({config.data})};
  if (!config.shape.empty()) options.calibration_images = static_cast<size_t>(config.shape[0]);
  QuantizeProgress progress;
  progress.attach(options);
  model.quantize(options);
}

}  // namespace effdet::cli
