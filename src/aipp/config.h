// The file of atc --insert_op_conf: preprocessing that becomes a part of the model.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/tensor.h"
#include "ops/aipp.h"

namespace effdet::aipp {

/// What a file says. Sizes that it leaves open are 0 until resolve().
struct Config {
  std::string file;
  ops::AippSpec spec;
  bool crops = false;
  std::map<std::string, int> lines;  ///< where each field stands, from 1

  /// The preprocessing for a network whose input is NCHW of that shape: open sizes follow from it. Throws
  /// Error(kBadInput) with file, line and field where they do not fit together, or do not make that input.
  ops::AippSpec resolve(const Shape& network) const;
};

/// Reads `aipp_op { key: value ... }`, protobuf's text format. Throws Error(kBadInput) with file, line and field for
/// what is malformed, unknown, repeated or out of range, and Error(kUnsupported) for what is known and not supported:
/// dynamic mode, resizing, several inputs.
Config read_config(const std::filesystem::path& path);
/// The same of a file's text.
Config parse_config(const std::string& text, const std::string& file);

}  // namespace effdet::aipp
