// --calibration and what belongs to it, as the commands share them; models that become int8 by it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli.h"
#include "effdet/compiled_model.h"
#include "effdet/quantize.h"
#include "progress.h"

namespace effdet::cli {

/// The files that calibration images are read from: paths of files as they are; of a folder its images and .bin files;
/// of a data set's root its images. Throws Error(kUsage) for a folder without any, Error(kIo).
std::vector<std::filesystem::path> calibration_files(const std::vector<std::string>& paths);

class CalibrationOptions {
 public:
  /// --calibration, which is returned, and --calibration-images and --seed, which need it.
  CLI::Option* add_to(CommandLine& line);

  bool given() const { return !paths_.empty(); }
  /// Puts files, their number and the seed there. Throws as calibration_files().
  void fill(QuantizeOptions& options) const;

 private:
  std::vector<std::string> paths_;
  int images_ = 300;
  uint64_t seed_ = 0;
};

/// Lets a quantization show its progress on the terminal, and warn.
class QuantizeProgress {
 public:
  /// The options' callbacks refer to this.
  void attach(QuantizeOptions& options);

 private:
  StageBars bars_;
};

/// CompiledModel::open(); with --precision int8, a model of float32 is quantized first. Throws Error(kUsage) where the
/// calibration for that is missing, or is given for another precision or a model that is quantized already. Warns where
/// the precision is not that of all layers.
CompiledModel open_model(const std::string& file, const ModelOptions& options, const CalibrationOptions& calibration,
                         int threads = 0);

}  // namespace effdet::cli
