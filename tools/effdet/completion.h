// Completion of the commands' options in shells.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands.h"

namespace CLI {
class Option;
}

namespace effdet::cli {

class CommandLine;

/// Whether an option is in the help.
bool is_shown(const CLI::Option& option);

/// A command as shells see it.
struct CompletedCommand {
  std::string_view name, tool, summary;  ///< as Command has them
  struct Flag {
    std::string name, description, value;  ///< value: what it takes, as the help has it; empty: nothing
    bool takes_path = false;
  };
  std::vector<Flag> flags;  ///< long names
};

CompletedCommand completed(const Command& command, const CommandLine& line);

/// Files for bash-completion and for zsh's site-functions.
std::string bash_completion(std::span<const CompletedCommand> commands);
std::string zsh_completion(std::span<const CompletedCommand> commands);

}  // namespace effdet::cli
