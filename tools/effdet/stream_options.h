// --streams and --threads-per-stream, as the commands share them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli.h"
#include "effdet/streams.h"

namespace effdet::cli {

class StreamOptions {
 public:
  /// per_stream: also --threads-per-stream.
  void add_to(CommandLine& line, bool per_stream = true);

  /// The layout that the flags ask for; threads (0: default) are divided among the streams. With "auto" the layouts are
  /// measured, and the one with the most images a second is taken. Without a flag there are as many streams as said.
  /// Throws Error(kUsage).
  StreamLayout resolve(const CompiledModel& model, int threads, int streams = 1);

  bool is_given() const { return !streams_.empty(); }
  /// What "auto" measured, fastest first; empty without it.
  const std::vector<StreamTrial>& trials() const { return trials_; }
  void print_trials() const;
  nlohmann::json trials_json() const;

 private:
  std::string streams_;  // "": not given
  int threads_a_stream_ = 0;
  std::vector<StreamTrial> trials_;
};

}  // namespace effdet::cli
