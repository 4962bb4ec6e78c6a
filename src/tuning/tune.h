// Measured choices: runs a graph in all the ways that the compiler has for its layers, and notes which is faster.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "compiler/compile.h"
#include "effdet/compile_options.h"

namespace effdet::tuning {

struct TuneReport {
  size_t layers = 0;    ///< kinds of layers that can be computed in two ways
  size_t measured = 0;  ///< of these, now
  size_t changed = 0;   ///< fused, or not, otherwise than without tuning
  std::filesystem::path bank;
};

/// Sets options.choices for a graph whose inputs have the shapes of options. Needs the memory of four compiled models.
/// Throws as compile() and TuningBank do.
TuneReport tune(const ir::Graph& graph, compiler::CompileOptions& options, const Tuning& tuning);

/// tune() for each plan, whose shapes are laid over those of options; reports each to tuning.on_done.
void tune_plans(const ir::Graph& graph, compiler::CompileOptions& options,
                std::span<const std::map<std::string, Shape>> plans, const Tuning& tuning);

}  // namespace effdet::tuning
