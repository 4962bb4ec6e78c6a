// Scripts of bash and zsh: flags of each command, and names of files where a flag takes one.
#include "completion.h"

#include <fmt/format.h>

#include "cli.h"

namespace effdet::cli {
namespace {

using CompletedFlag = CompletedCommand::Flag;

bool takes_path(std::string_view type) {
  return type.find("FILE") != type.npos || type.find("DIR") != type.npos || type == "PICTURE";
}

/// The names of those flags that `chosen` takes, with spaces between.
template <typename Choose>
std::string names_of(const std::vector<CompletedFlag>& flags, Choose chosen) {
  std::string names;
  for (const CompletedFlag& flag : flags)
    if (chosen(flag)) names += (names.empty() ? "" : " ") + flag.name;
  return names;
}

std::string bash_case(const CompletedCommand& command) {
  std::string pattern(command.name);
  if (!command.tool.empty() && command.tool != command.name) pattern += fmt::format("|{}", command.tool);
  return fmt::format("    {})\n      flags='{}'\n      values=' {} '\n      paths=' {} ' ;;\n", pattern,
                     names_of(command.flags, [](const CompletedFlag&) { return true; }),
                     names_of(command.flags, [](const CompletedFlag& flag) { return !flag.value.empty(); }),
                     names_of(command.flags, [](const CompletedFlag& flag) { return flag.takes_path; }));
}

/// For a word in single quotes in which brackets and colons have a meaning.
std::string zsh_quoted(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') quoted += '\\';
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted;
}

std::string zsh_case(const CompletedCommand& command) {
  std::string text = fmt::format("    {})\n      _arguments", command.name);
  for (const CompletedFlag& flag : command.flags) {
    text += fmt::format(" \\\n        '{}[{}]", flag.name, zsh_quoted(flag.description));
    if (!flag.value.empty()) text += fmt::format(":{}:{}", zsh_quoted(flag.value), flag.takes_path ? "_files" : " ");
    text += "'";
  }
  return text + " \\\n        '*:file:_files' ;;\n";
}

}  // namespace

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

CompletedCommand completed(const Command& command, const CommandLine& line) {
  CompletedCommand result{command.name, command.tool, command.summary, {}};
  for (const CLI::Option* option : line.get_options()) {
    if (!is_shown(*option)) continue;
    const std::string type = option->get_expected_max() > 0 ? option->get_type_name() : "";
    for (const std::string& name : option->get_lnames())
      result.flags.push_back({"--" + name, option->get_description(), type, takes_path(type)});
  }
  return result;
}

std::string bash_completion(std::span<const CompletedCommand> commands) {
  std::string names, tools, cases;
  for (const CompletedCommand& command : commands) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", command.name);
    if (!command.tool.empty()) tools += fmt::format(" {}", command.tool);
    cases += bash_case(command);
  }
  return fmt::format(R"(# Completion of effdet's commands for bash.
_effdet() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[0]##*/}}
  if [ "$command" = effdet ]; then
    if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W '{}' -- "$word")); return; fi
    command=${{COMP_WORDS[1]}}
  fi
  local flags= values= paths=
  case $command in
{}  esac
  case $word in -*) COMPREPLY=($(compgen -W "$flags" -- "$word")); return ;; esac
  case $values in *" $before "*) case $paths in *" $before "*) ;; *) return ;; esac ;; esac
  COMPREPLY=($(compgen -f -- "$word"))
}}
complete -o filenames -F _effdet effdet{}
)",
                     names, cases, tools);
}

std::string zsh_completion(std::span<const CompletedCommand> commands) {
  std::string names, cases;
  for (const CompletedCommand& command : commands) {
    names += fmt::format(" \\\n      '{}:{}'", command.name, zsh_quoted(command.summary));
    cases += zsh_case(command);
  }
  return fmt::format(R"(#compdef effdet
# Completion of effdet's commands for zsh.
_effdet() {{
  if (( CURRENT == 2 )); then
    local -a commands=({})
    _describe command commands
    return
  fi
  local command=${{words[2]}}
  (( CURRENT-- ))
  shift words
  case $command in
{}  esac
}}
_effdet "$@"
)",
                     names, cases);
}

}  // namespace effdet::cli
