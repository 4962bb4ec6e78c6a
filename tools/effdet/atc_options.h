// The flags of atc: which there are, which this version understands, and the codes of its errors.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration_config.h"
#include "effdet/compiled_model.h"
#include "effdet/error.h"

namespace effdet::cli {

/// An error with atc's code: what() is "E10001: ...".
[[noreturn]] void fail_atc(ErrorCode code, std::string_view atc_code, const std::string& message);
/// E10001: Value [v] for parameter [--p] is invalid. Reason: ...
[[noreturn]] void fail_value(ErrorCode code, std::string_view parameter, std::string_view value,
                             std::string_view reason);

/// Parts between separators, empty ones left out.
std::vector<std::string> split(const std::string& text, char separator);
/// A dimension in the value `text` of a flag. Throws E10002, E10011.
int64_t parse_side(std::string_view flag, const std::string& text, const std::string& side);

enum class LogLevel { kDebug, kInfo, kWarning, kError, kNull };

struct AtcOptions {
  int mode = 0;  ///< 0: compile, 1: compiled model to JSON, 6: show a compiled model
  std::string model, output, om, json;
  std::string device = "cpu";  ///< one of effdet::devices()
  std::map<std::string, std::vector<int64_t>> input_shapes;
  std::vector<std::map<std::string, std::vector<int64_t>>> plans;  ///< of the lists of shapes; empty: one plan
  std::vector<std::string> out_nodes;                              ///< "node:index"
  std::string insert_op_conf;                                      ///< "": no preprocessing in the model
  bool narrow = false;                                             ///< maps of the device's fast 16-bit float
  std::vector<std::string> keep_float32;
  std::optional<CalibrationConfig> calibration;  ///< empty: the model stays as it is
  std::optional<Tuning> tuning;
  LogLevel log = LogLevel::kNull;
  std::vector<std::string> warnings;  ///< flags that were accepted without effect
  bool help = false;                  ///< the help was printed; nothing is to be done
};

/// Parses and checks the flags. Throws Error with atc's codes for what it does not take, and Error(kUsage) for flags
/// that do not exist.
AtcOptions read_atc_options(int argc, char** argv);

}  // namespace effdet::cli
