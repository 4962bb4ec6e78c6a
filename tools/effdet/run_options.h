// How a long run over a data set is divided and kept: --resume, --shard and --strict.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli.h"
#include "effdet/dataset.h"
#include "shard_environment.h"

namespace effdet::cli {

class RunOptions {
 public:
  /// results: the option that says where the results go, which they are about; file: the results in the help.
  void add_to(CommandLine& line, CLI::Option* results, const std::string& file);

  /// Sets what the flags and, without --shard, the launcher say. The journal lies beside the results; a shard is kept
  /// in a file of its own, and then options.results is empty. Throws Error(kUsage) for a shard that is none, and for
  /// results in a device or a pipe, beside which nothing can lie.
  template <typename Options>
  void apply(const std::string& results, Options& options) {
    options.resume = resume_;
    options.strict = strict_;
    const Place place = place_of(results);
    options.shard = place.shard;
    options.results = place.results;
    options.journal = place.journal;
  }

  bool resumes() const { return resume_; }
  bool is_shard() const { return !shard_.empty(); }
  /// Whose shards are joined in the end; nothing where there is no launcher, and with --shard.
  const std::optional<TeamMember>& team() const { return team_; }
  /// After apply(): throws Error(kUsage) where one of the lists of images is the standard input and there is a team,
  /// the processes of which do not all get it.
  void refuse_shared_input(const std::vector<std::string>& lists) const;
  /// Seconds after which a process of which nothing is to be seen is given up.
  double lost_after() const { return lost_after_; }

 private:
  struct Place {
    Shard shard = {};
    std::string results = {}, journal = {};
  };
  Place place_of(const std::string& results);

  bool resume_ = false, strict_ = false;
  std::string shard_;
  double lost_after_ = 120;
  CLI::Option* lost_after_option_ = nullptr;
  std::optional<TeamMember> team_;
};

/// "0/4"; "auto" and "auto/4" ask the environment. Throws Error(kUsage).
Shard parse_shard(const std::string& text);

}  // namespace effdet::cli
