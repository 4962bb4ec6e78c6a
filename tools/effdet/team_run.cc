// Watches the shards of the other processes, and joins them when they are done.
#include "team_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "cli.h"
#include "core_share.h"
#include "effdet/error.h"
#include "effdet/paths.h"
#include "progress.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kLook = std::chrono::milliseconds(200);
/// Of signs of life; an image may take longer.
constexpr auto kTouch = std::chrono::seconds(5);

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int threads_of_member(const TeamMember& member, int threads) {
  const Cores cores = cores_of_process();
  const int share = fair_share(cores, member.neighbours);
  if (member.shard.index == 0 && cores.bound < share)
    warn(fmt::format("{} has bound this process to {} of {} cores; {} gives each of {} processes {}", member.launcher,
                     cores.bound, cores.machine, member.launcher == "srun" ? "--cpu-bind=none" : "--bind-to none",
                     std::max<size_t>(1, member.neighbours), share));
  const bool is_given = threads > 0 || std::getenv("EFFDET_NUM_THREADS") != nullptr;
  return is_given ? threads : threads_of_share(cores, member.neighbours);
}

int end_of_member(const std::string& program, size_t done, size_t total, const StopRequest& stop,
                  const fs::path& journal) {
  if (!stop.requested()) return 0;
  const RoomForLines room;
  print_stderr("{}: stopped by {}: {} keeps {} of {} images; --resume goes on\n", program, stop.name(),
               journal.string(), done, total);
  return stop.exit_code();
}

TeamRun::TeamRun(const TeamMember& member, const std::string& results, double lost_after)
    : member_(member),
      results_(results),
      own_file_(shard_file(results, member.shard).string()),
      lost_after_(lost_after) {
  if (!is_first()) return;
  for (size_t rank = 1; rank < member.shard.count; ++rank) {
    const std::string file = shard_file(results, {rank, member.shard.count}).string();
    others_.push_back({rank, file, ShardWatch(file)});
    others_.back().changes_before = others_.back().watch.look().changes;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { watch_others(stop); });
}

void TeamRun::show_life() {
  if (!is_first()) thread_ = std::jthread([this](const std::stop_token& stop) { touch_own(stop); });
}

size_t TeamRun::done_elsewhere() const {
  const std::lock_guard hold(mutex_);
  size_t done = 0;
  for (const Other& other : others_) done += other.state.done;
  return done;
}

bool TeamRun::join(const StopRequest& stop, const std::function<void(const std::vector<fs::path>&)>& merge) {
  wait_for_others(stop);
  thread_.request_stop();
  thread_.join();
  if (stop.requested()) return false;
  std::vector<fs::path> files{own_file_};
  for (const Other& other : others_)
    if (is_file(other.file)) files.emplace_back(other.file);
  const std::vector<std::string> lost = lost_ranks();
  try {
    merge(files);
    std::error_code ignored;
    for (const fs::path& file : files) fs::remove(file, ignored);
    return true;
  } catch (const Error& error) {
    if (lost.empty()) throw;
    throw Error(ErrorCode::kIo,
                fmt::format("rank {} of {} was lost: {}", fmt::join(lost, ", "), member_.shard.count, error.what()));
  }
}

void TeamRun::watch_others(const std::stop_token& stop) {
  std::unique_lock hold(mutex_);
  while (!stop.stop_requested()) {
    for (Other& other : others_) look_at(other);
    ended_.wait_for(hold, stop, kLook, [] { return false; });
  }
}

void TeamRun::touch_own(const std::stop_token& stop) {
  std::unique_lock hold(mutex_);
  while (!stop.stop_requested()) {
    std::error_code ignored;
    if (is_file(own_file_)) fs::last_write_time(own_file_, fs::file_time_type::clock::now(), ignored);
    ended_.wait_for(hold, stop, kTouch, [] { return false; });
  }
}

void TeamRun::look_at(Other& other) {
  const ShardState state = other.watch.look();
  if (state.changes != other.state.changes) other.changed = now_seconds();
  other.state = state;
  if (state.is_run) {
    other.was_run = true;
    other.is_lost = false;
  } else if (other.was_run && !state.is_complete()) {
    lose(other, "its process has ended");
  }
}

void TeamRun::lose(Other& other, const std::string& why) {
  if (other.is_lost) return;
  other.is_lost = true;
  const ShardState& state = other.state;
  const std::string done = state.is_there ? fmt::format("{} of {} images of its shard are done, and kept in {}",
                                                        state.done, state.images, other.file)
                                          : fmt::format("there is no file {}", other.file);
  warn(fmt::format("rank {} of {} is lost: {}; {}", other.rank, member_.shard.count, why, done));
}

bool TeamRun::is_settled(Other& other, double since) {
  if (other.is_lost) return true;
  const ShardState& state = other.state;
  const bool is_of_this_run = other.was_run || state.changes > other.changes_before;
  if (state.is_complete() && !state.is_run && is_of_this_run) return true;
  if (now_seconds() - std::max(other.changed, since) < lost_after_) return false;
  if (!state.is_complete()) lose(other, fmt::format("nothing was seen of it for {} s", lost_after_));
  return true;
}

void TeamRun::wait_for_others(const StopRequest& stop) {
  const double since = now_seconds();
  ProgressBar bar("waiting for others");
  std::unique_lock hold(mutex_);
  for (;;) {
    for (Other& other : others_) look_at(other);
    if (stop.requested()) return;
    size_t waiting = 0, done = 0, images = 0;
    for (Other& other : others_) {
      waiting += is_settled(other, since) ? 0 : 1;
      done += other.state.done;
      images += other.state.images;
    }
    if (waiting == 0) return;
    bar.update(done, images);
    ended_.wait_for(hold, kLook);
  }
}

std::vector<std::string> TeamRun::lost_ranks() const {
  std::vector<std::string> ranks;
  for (const Other& other : others_)
    if (other.is_lost) ranks.push_back(std::to_string(other.rank));
  return ranks;
}

}  // namespace effdet::cli
