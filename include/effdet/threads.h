// Threads that several models of one process share.
#pragma once

#include <memory>

#include "effdet/export.h"

namespace effdet {

/// A team of threads. Detectors and runners that are made with it compute on it by turns, layer after layer of one run
/// after the other, whichever thread calls them: a program with several models has no more threads than cores. Copies
/// are of the same team, which ends with the last that has it. The results are those of a team of one's own.
class Threads {
 public:
  /// count: 0 for EFFDET_NUM_THREADS or, if that is not set, one for each core; the caller of a run is one of them.
  /// Where the system refuses a thread there are fewer. Throws Error(kUsage) for a number below 0.
  EFFDET_API explicit Threads(int count = 0);
  EFFDET_API int count() const;

 private:
  friend struct ThreadsAccess;
  struct Team;
  std::shared_ptr<Team> team_;
};

}  // namespace effdet
