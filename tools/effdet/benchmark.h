// The benchmark's two jobs: running a model on inputs, and measuring it alone.
#pragma once

#include <filesystem>
#include <string>

#include "effdet/streams.h"

namespace effdet::cli {

struct BenchmarkOptions {
  std::string model_type = "vision";
  int batch_size = 1, device_id = 0;
  std::string device, om_path, input_text_path, input_images_path;
  std::filesystem::path metadata;         ///< file that tells what the model is; empty: not given
  int input_width = 0, input_height = 0;  ///< 0: not given
  std::string dynamic_size;               ///< -dymHW; "": not given
  bool binary = false;                    ///< outputs as .bin instead of .txt
  bool dvpp = false;                      ///< inputs are images, which the model's own preprocessing (AIPP) takes
  int rounds = 0;                         ///< of pure inference; 0: data mode
  int warm_up = 1;
  StreamLayout layout;
  std::filesystem::path result = "result";
  bool json = false;
};

/// Where the outputs go, and the figures.
std::filesystem::path dump_folder(const BenchmarkOptions& options);
std::filesystem::path figures_file(const BenchmarkOptions& options);

/// Runs the model on every input and writes <result>/dumpOutput_device<D>/<stem>_<k>.bin or .txt, k from 1 in the order
/// of the outputs, and the file of figures that it prints.
/// Uses the given plan, and for the rest of the inputs a smaller one of the same size where the model has it.
void benchmark_data(const BenchmarkOptions& options, const CompiledModel& model, size_t plan);

/// Runs the model so many times on made-up input, and writes and prints the figures.
void benchmark_rounds(const BenchmarkOptions& options, const CompiledModel& model);

/// Six significant digits, as the original prints its figures.
std::string figure(double value);

}  // namespace effdet::cli
