// The benchmark's two jobs: running a model on inputs, and measuring it alone.
#pragma once

#include <filesystem>
#include <string>

#include "effdet/compiled_model.h"

namespace effdet::cli {

struct BenchmarkOptions {
  std::string model_type = "vision";
  int batch_size = 1, device_id = 0;
  std::string om_path, input_text_path, input_images_path;
  int input_width = 0, input_height = 0;  ///< 0: not given
  bool binary = false;                    ///< outputs as .bin instead of .txt
  bool dvpp = false;                      ///< inputs are pictures, which the model's own preprocessing (AIPP) takes
  int rounds = 0;                         ///< of pure inference; 0: data mode
  int warm_up = 1, threads = 0;
  std::filesystem::path result = "result";
  bool json = false;
};

/// Runs the model on every input and writes <result>/dumpOutput_device<D>/<stem>_<k>.bin or .txt, k from 1 in the order
/// of the outputs, and the file of figures that it prints.
void run_on_data(const BenchmarkOptions& options, const CompiledModel& model);

/// Runs the model so many times on made-up input, and writes and prints the figures.
void run_rounds(const BenchmarkOptions& options, const CompiledModel& model);

/// Images in a batch of the model. Throws Error(kUnsupported) for a model with several inputs or without a batch.
size_t batch_of(const CompiledModel& model);

/// Width and height of an input file: of the pictures that a model with preprocessing takes, or of its planes; 0 x 0
/// for a model that takes something else.
struct InputSize {
  int64_t width = 0, height = 0;
};
InputSize input_size(const CompiledModel& model);

/// Six significant digits, as the original prints its figures.
std::string figure(double value);

}  // namespace effdet::cli
