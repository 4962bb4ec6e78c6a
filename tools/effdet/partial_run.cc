// The last lines and the exit code of a run that skipped some images.
#include "partial_run.h"

#include <fmt/format.h>

#include "effdet/error.h"
#include "log.h"
#include "status_line.h"

namespace effdet::cli {

int end_of_run(const std::string& program, const RunCounts& counts, const StopRequest& stop, const std::string& what) {
  const std::string of_these = fmt::format("{} of {} images", counts.done, counts.total);
  if (stop.requested()) {
    const std::string failed = counts.failed > 0 ? fmt::format(", {} could not be used", counts.failed) : "";
    if (counts.done < counts.total) {
      const RoomForLines room;
      print_stderr("{}: stopped by {}: {} are of {}{}\n", program, stop.name(), what, of_these, failed);
    }
    return stop.exit_code();
  }
  if (counts.failed > 0)
    throw Error(ErrorCode::kBadInput, fmt::format("{} of {} images could not be used: {} are of the other {}",
                                                  counts.failed, counts.total, what, counts.done));
  return 0;
}

void say_what_is_kept(const RunCounts& counts, const StopRequest& stop, const std::filesystem::path& journal) {
  if (is_quiet() || !stop.requested() || journal.empty() || counts.done + counts.failed >= counts.total) return;
  const RoomForLines room;
  print_stderr("[INFO] {} keeps what is done: --resume goes on\n", journal.string());
}

}  // namespace effdet::cli
