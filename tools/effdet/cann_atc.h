// CANN's own atc, which compiles for cards where it is installed.
#pragma once

#include <string>

namespace effdet::cli {

/// The card that --soc_version names ("Ascend310P3"), or "" where it names none.
std::string card_version(int argc, char** argv);

/// Becomes CANN's atc with the same arguments: its output, its files and its exit code are what there is then. Throws
/// Error with atc's code where it is not installed.
[[noreturn]] void become_cann_atc(int argc, char** argv, const std::string& soc_version);

}  // namespace effdet::cli
