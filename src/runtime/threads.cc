// The public handle of a team of threads.
#include "effdet/threads.h"

#include "base/error.h"
#include "runtime/threads_impl.h"

namespace effdet {

Threads::Threads(int count) {
  if (count < 0) fail(ErrorCode::kUsage, "{} threads: there must be one at least, or 0 for all cores", count);
  team_ = std::make_shared<Team>(count > 0 ? count : default_thread_count());
}

int Threads::count() const { return team_->pool.size(); }

}  // namespace effdet
