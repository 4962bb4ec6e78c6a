// What --verbose tells: on what a command runs, and what it took.
#pragma once

#include <string>

namespace effdet::cli {

/// Prints version, processor, instruction set and threads on standard error, now; end_of_verbose() prints the rest.
void be_verbose(const std::string& program);

/// Time, processor time and peak memory of the process, where be_verbose() was called.
void end_of_verbose();

}  // namespace effdet::cli
