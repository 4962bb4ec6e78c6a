// One of the processes that mpirun, srun or torchrun runs for one command: each runs its shard of the images, and the
// first one joins them. They know of each other by the shards' files alone, so that any launcher will do.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/shard_watch.h"
#include "shard_environment.h"
#include "signals.h"

namespace effdet::cli {

class TeamRun {
 public:
  /// results: the file of the whole; lost_after: seconds. The first process begins to watch the others, and says on
  /// standard error which are lost.
  TeamRun(const TeamMember& member, const std::string& results, double lost_after);

  bool is_first() const { return member_.shard.index == 0; }
  /// From now on the file of this shard, which is there and open, shows that the process is alive.
  void show_life();
  /// Images of all processes but the first one.
  size_t done_elsewhere() const;

  /// In the first process, after its shard: waits until each other one has ended or is lost, then writes the results
  /// and removes the shards' files. Throws Error(kIo) that names what is lost, and as merge_shards(); the shards then
  /// stay. Nothing after a signal.
  std::optional<ValidateReport> join(const StopRequest& stop);

 private:
  struct Other {
    size_t rank;
    std::string file;
    ShardWatch watch;
    ShardState state = {};
    uint64_t changes_before = 0;  ///< of an earlier run: those at the first look
    bool was_run = false;         ///< whether it was seen with its file open
    bool is_lost = false;
    double changed = 0;  ///< when its file did, in seconds
  };

  void watch_others(const std::stop_token& stop);
  void touch_own(const std::stop_token& stop);
  void look_at(Other& other);
  void lose(Other& other, const std::string& why);
  /// since: when this process was done
  bool is_settled(Other& other, double since);
  void wait_for_others(const StopRequest& stop);
  std::vector<std::string> lost_ranks() const;

  TeamMember member_;
  std::string results_, own_file_;
  double lost_after_;
  std::vector<Other> others_;
  mutable std::mutex mutex_;  ///< of others_
  std::condition_variable_any ended_;
  std::jthread thread_;  ///< the last member: it ends before the others go
};

}  // namespace effdet::cli
