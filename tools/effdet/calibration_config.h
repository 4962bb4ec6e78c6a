// The file of atc --compression_optimize_conf: calibration { input_data_dir: ... }.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "effdet/onnx_model.h"

namespace effdet::cli {

struct CalibrationConfig {
  std::string file;                         ///< that says so
  std::string data;                         ///< input_data_dir: a .bin file of samples, or a folder
  std::string input;                        ///< input_shape: the input's name; "" where it is not given
  std::vector<int64_t> shape;               ///< with the number of samples first
  std::vector<std::string> without_effect;  ///< fields of other devices
};

/// Throws Error(kBadInput) "FILE:LINE: ..." for a malformed line, and for a field that is unknown, repeated, missing or
/// not supported; Error(kIo).
CalibrationConfig read_calibration_config(const std::string& path);

/// Makes the model an 8-bit one, as the file says. Throws as OnnxModel::quantize(), and Error(kBadInput) where the file
/// does not fit the model.
void quantize(OnnxModel& model, const CalibrationConfig& config);

}  // namespace effdet::cli
