// Measured choices: runs a graph in all the ways that the compiler has for its layers, and notes which is faster.
#pragma once

#include <filesystem>
#include <functional>

#include "compiler/compile.h"

namespace effdet::tuning {

struct TuneOptions {
  std::filesystem::path folder;  ///< of TuningBank
  double seconds = 60;           ///< for measuring, where there is anything to measure
  int threads = 1;
  bool repeat = false;  ///< measure anew what the bank has
  std::function<void(double share_done)> on_progress;
};

struct TuneReport {
  size_t layers = 0;    ///< kinds of layers that can be computed in two ways
  size_t measured = 0;  ///< of these, now
  size_t changed = 0;   ///< fused, or not, otherwise than without tuning
  std::filesystem::path bank;
};

/// Sets options.choices for a graph whose inputs have the shapes of options. Needs the memory of four compiled models.
/// Throws as compile() and TuningBank do.
TuneReport tune(const ir::Graph& graph, compiler::CompileOptions& options, const TuneOptions& tune_options);

}  // namespace effdet::tuning
