// The images of a calibration: which of the files are used, and what each puts into the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "detection/model_input.h"
#include "effdet/image_failure.h"
#include "ir/graph.h"

namespace effdet::quantize {

/// Bytes of one image of the batch that the graph's input is.
size_t sample_bytes_of(const ir::Graph& graph);

/// Samples in the order of their files' names. Files that cannot be used are skipped and noted.
class CalibrationImages {
 public:
  /// Chooses at most so many samples of all, by the seed. Throws Error(kUsage) where there are no files, and, where
  /// there are images, Error(kUnsupported) for a model that does not say how they become its input.
  CalibrationImages(std::vector<std::filesystem::path> files, size_t most, uint64_t seed, const ir::Graph& graph,
                    OnFailure on_failure);

  size_t chosen() const { return samples_.size(); }
  /// Files of the chosen samples, each once, sorted.
  std::set<std::filesystem::path> files() const;
  /// SHA-256 of the chosen samples of .bin files, with their names.
  std::map<std::string, std::string> raw_digests() const;
  /// The next sample that can be used; false after the last one.
  bool next(std::span<std::byte> input, std::string& name);
  /// From the first one again.
  void rewind() { position_ = 0; }

  /// How many samples next() has yielded so far, which were not rewound.
  size_t used() const { return used_files_.size(); }
  /// Files of the samples that next() has yielded, once for each sample.
  const std::vector<std::filesystem::path>& used_files() const { return used_files_; }
  const std::vector<ImageFailure>& failures() const { return failures_; }
  /// Throws Error(kBadInput) where all samples that were yielded show nothing, as black images do: ranges that are
  /// learnt from them would cut off everything else.
  void require_content() const;

 private:
  struct Sample {
    std::filesystem::path file;
    size_t index = 0;  ///< in a file with several
    auto operator<=>(const Sample&) const = default;
  };
  void read(const Sample& sample, std::span<std::byte> input) const;

  std::optional<detection::ModelInput> input_;  ///< where there are images
  size_t sample_bytes_;
  std::vector<Sample> samples_;
  size_t position_ = 0, blank_ = 0;
  std::vector<std::filesystem::path> used_files_;
  std::set<size_t> failed_;
  std::vector<ImageFailure> failures_;
  OnFailure on_failure_;
};

}  // namespace effdet::quantize
