// What profile measured.
#pragma once

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/machine.h"

namespace effdet::cli {

/// Medians of several runs.
struct Profile {
  std::vector<CompiledModel::Step> steps;
  std::vector<double> milliseconds;  ///< by step
  std::vector<double> runs;          ///< of the whole model, milliseconds each
  MachineRates machine;
  int threads = 0;

  /// Of the type in which the model does most of its arithmetic, a second.
  double peak_flops() const {
    std::map<std::string_view, int64_t> by_type;
    for (const CompiledModel::Step& step : steps) by_type[step.type] += step.flops;
    const auto most = std::ranges::max_element(by_type, {}, [](const auto& entry) { return entry.second; });
    if (most == by_type.end()) return machine.flops;
    return most->first == "bfloat16" ? machine.bf16_flops : most->first == "uint8" ? machine.int8_ops : machine.flops;
  }
  double total() const { return std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0); }
};

/// The share of the machine's limit: the time that arithmetic or memory traffic must take, whichever is longer, of the
/// time taken. Above 1 where data comes from the caches.
inline double share_of_limit(const Profile& profile, double flops, double bytes, double milliseconds) {
  const double least = std::max(flops / profile.peak_flops(), bytes / profile.machine.bytes);
  return milliseconds > 0 ? 1e3 * least / milliseconds : 0;
}

}  // namespace effdet::cli
