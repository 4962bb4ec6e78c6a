// Files with flags, for --config: NAME = VALUE a line, a subset of TOML.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace effdet::cli {

/// A reader of the file for the options of a command, which must outlive it: '-' and '_' in names are the same. Throws
/// Error(kUsage) that names the file for one that is no file, is larger than 1 MiB, has sections, or names what the
/// command does not have, and Error(kIo) for one that is not there or is a folder.
std::shared_ptr<CLI::Config> flags_file(const CLI::App& command, const std::string& name);

}  // namespace effdet::cli
