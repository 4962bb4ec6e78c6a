// Switches as the original tools have them: flags with a value, "True" or "1".
#pragma once

#include <string>
#include <string_view>

#include "cli.h"

namespace effdet::cli {

/// "True", "true", "1", ...; throws Error(kUsage) for another word.
bool parse_switch(std::string_view flag, std::string text);

/// A flag that may have such a value; alone it means true.
CLI::Option* add_switch(CommandLine& line, const std::string& flag, bool& is_on, const std::string& description);

}  // namespace effdet::cli
