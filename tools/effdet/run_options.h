// How a long run over a data set is divided and kept: --resume, --shard and --strict.
#pragma once

#include <optional>
#include <string>

#include "cli.h"
#include "effdet/dataset.h"
#include "shard_environment.h"

namespace effdet::cli {

class RunOptions {
 public:
  /// results: the option --results, which they are about.
  void add_to(CommandLine& line, CLI::Option* results);

  /// Sets what the flags and, without --shard, the launcher say. The journal lies beside the results; a shard is kept
  /// in a file of its own, and then options.results is empty. Throws Error(kUsage) for a shard that is none, and for
  /// results in a device or a pipe, beside which nothing can lie.
  void apply(const std::string& results, ValidateOptions& options);

  bool is_shard() const { return !shard_.empty(); }
  /// Whose shards are joined in the end; nothing where there is no launcher, and with --shard.
  const std::optional<TeamMember>& team() const { return team_; }
  /// Seconds after which a process of which nothing is to be seen is given up.
  double lost_after() const { return lost_after_; }

 private:
  bool resume_ = false, strict_ = false;
  std::string shard_;
  double lost_after_ = 120;
  std::optional<TeamMember> team_;
};

/// "0/4"; "auto" and "auto/4" ask the environment. Throws Error(kUsage).
Shard parse_shard(const std::string& text);

}  // namespace effdet::cli
