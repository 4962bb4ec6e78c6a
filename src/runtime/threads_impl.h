// The team of threads behind a public handle.
#pragma once

#include <memory>
#include <mutex>

#include "base/thread_pool.h"
#include "effdet/threads.h"

namespace effdet {

struct Threads::Team {
  explicit Team(int threads) : pool(threads) {}
  ThreadPool pool;
  std::mutex turn;  ///< of the run that computes
};

struct ThreadsAccess {
  using Team = Threads::Team;
  static const std::shared_ptr<Team>& team(const Threads& threads) { return threads.team_; }
};

}  // namespace effdet
