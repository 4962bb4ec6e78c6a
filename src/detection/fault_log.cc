// Collects image names under a lock, and puts the warning into one sentence.
#include "detection/fault_log.h"

#include "base/error.h"
#include "base/log.h"

namespace effdet::detection {

void FaultLog::add(std::string_view name, const eval::DetectFaults& faults) {
  if (!faults.any()) return;
  const std::lock_guard lock(mutex_);
  if (count_++ > 0) return;
  first_ = name;
  log(LogLevel::kWarning, "the model's outputs hold NaN or infinity for '{}': what it finds there is useless", name);
}

std::string FaultLog::text() const {
  const std::lock_guard lock(mutex_);
  if (count_ == 0) return "";
  return fmt::format("the model's outputs hold NaN or infinity for {} image{}{}: what it finds there is useless",
                     count_, count_ == 1 ? "" : "s", first_.empty() ? "" : fmt::format(", first for '{}'", first_));
}

}  // namespace effdet::detection
