// Mapped files whose pages are gone when they are read.
#pragma once

#include <cstddef>
#include <span>

namespace effdet::cli {

/// Writes the path of the file that is mapped at the address into `path`, cut where it is longer, with a 0 after it;
/// "" where no file is. Takes no memory and no locks, so that a signal handler may call it.
void find_mapped_file(const void* address, std::span<char> path);

/// On SIGBUS, calls `leave` with the path of the file that it was, on one line; it shall say so and end the process.
/// The signal comes from reading a mapping whose file another process has cut since, or whose disk fails.
void report_lost_pages(void (*leave)(const char* path));

}  // namespace effdet::cli
