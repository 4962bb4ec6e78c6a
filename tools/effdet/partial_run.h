// The end of a run over images, some of which may have failed, and which may have been stopped on the way.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "signals.h"

namespace effdet::cli {

struct RunCounts {
  size_t done = 0, failed = 0, total = 0;  ///< images
};

/// Says on standard error how many images were done where these are not all. Returns the exit code: 0, or that of the
/// signal which stopped the run. Throws Error(kBadInput) where images failed. what: "the numbers", which are of the
/// images that were done.
int end_of_run(const std::string& program, const RunCounts& counts, const StopRequest& stop, const std::string& what);

/// After a signal that left images undone: says on standard error where those that are done are kept. Nothing where
/// there is no journal.
void say_what_is_kept(const RunCounts& counts, const StopRequest& stop, const std::filesystem::path& journal);

}  // namespace effdet::cli
