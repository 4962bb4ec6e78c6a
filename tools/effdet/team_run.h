// One of the processes that mpirun, srun or torchrun runs for one command: each runs its shard of the images, and the
// first one joins them. They know of each other by the shards' files alone, so that any launcher will do.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/shard_watch.h"
#include "shard_environment.h"
#include "signals.h"

namespace effdet::cli {

/// Threads where the user gives none (0): the processes on a machine share its cores. One that may use fewer than its
/// share is worth a warning, which one process gives.
int threads_of_member(const TeamMember& member, int threads);

/// The end of a process that does not join the shards. Images that could not be used are not its error: mpirun would
/// end the others, and the first one counts them. done, total: images of its shard, which the journal keeps.
int end_of_member(const std::string& program, size_t done, size_t total, const StopRequest& stop,
                  const std::filesystem::path& journal);

class TeamRun {
 public:
  /// results: the file of the whole; lost_after: seconds. The first process begins to watch the others, and says on
  /// standard error which are lost.
  TeamRun(const TeamMember& member, const std::string& results, double lost_after);

  /// The shard's own lines are for the first process alone.
  bool is_first() const { return member_.shard.index == 0; }
  /// From now on the file of this shard, which is there and open, shows that the process is alive.
  void show_life();
  /// Images of all processes but the first one.
  size_t done_elsewhere() const;

  /// In the first process, after its shard: waits until each other one has ended or is lost, then lets merge join the
  /// shards' files, and removes them. Throws Error(kIo) that names what is lost, and as merge does; the shards then
  /// stay. False, and nothing is joined, after a signal.
  bool join(const StopRequest& stop, const std::function<void(const std::vector<std::filesystem::path>&)>& merge);

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
