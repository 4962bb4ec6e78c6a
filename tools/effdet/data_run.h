// A model on samples from files, with its outputs to files, each file's to files of its own. Each stream reads the next
// batch and writes the last one's outputs while its network runs.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "effdet/streams.h"
#include "sample_files.h"

namespace effdet::cli {

struct DataRunOptions {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path folder;  ///< for outputs, FOLDER/<stem>_<k>.<ext>; it exists. Empty: they are not written
  int first_output = 1;          ///< k of the first output
  DumpFormat format = DumpFormat::kBin;
  StreamLayout layout;
  int warm_up = 1;  ///< runs of each stream before the clock starts
  size_t plan =
      0;  ///< the rest of the inputs run on a smaller batch of the same size where the model has a plan for it
  size_t output_axis = 0;  ///< the outputs' axis that counts the samples, and is split among the files of a batch
  /// Each file is a batch of its own, for the plan that has the shape which the .npy file says; `plan` is the largest.
  bool plan_by_shape = false;
};

/// Milliseconds.
struct StageTimes {
  std::vector<double> read, preprocess, post;  ///< of a file, or of a sample where there are none
  std::vector<double> infer;                   ///< of a batch, in the network
  std::vector<double> to_device, from_device;  ///< of a batch, copies
  double total = 0;                            ///< of all, on the clock: stages of different batches overlap
  size_t samples_a_file = 1;                   ///< a file may hold a whole batch, or a part that divides it
  double samples = 0;                          ///< that the runs were for, the rests of partial batches among them

  void append(const StageTimes& other);
};

/// Throws Error(kUnsupported) for a model with several inputs, or outputs that do not divide among the files of a
/// batch; Error(kBadInput), Error(kIo) for a file that is not the model's input.
StageTimes run_on_files(const CompiledModel& model, const DataRunOptions& options);

/// A table with minimum, mean and percentiles of each stage, and the same as JSON.
void print_stages(const StageTimes& times);
nlohmann::json stages_json(const StageTimes& times);

/// Peak resident memory of this process, in bytes.
uint64_t peak_memory();

}  // namespace effdet::cli
