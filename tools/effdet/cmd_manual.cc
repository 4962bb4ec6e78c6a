// manual: man pages and completion of shells, from what the commands themselves say of their options.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <vector>

#include "cli.h"
#include "commands.h"
#include "completion.h"
#include "effdet/output_file.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// roff: a backslash, and a dot or an apostrophe at the begin of a line, would be instructions.
std::string roff(std::string_view text) {
  std::string escaped;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    begins = c == '\n';
  }
  return escaped;
}

/// "--out FILE"
std::string usage_of(const CLI::Option& option) {
  std::string text = option.get_name(false, true);
  if (option.get_expected_max() > 0 && !option.get_type_name().empty()) text += " " + option.get_type_name();
  return text;
}

std::string man_page(const Command& command, const CommandLine& line) {
  std::string page = fmt::format(".TH EFFDET\\-{} 1 \"\" \"effdet {}\"\n.SH NAME\neffdet\\-{} \\- {}\n", command.name,
                                 EFFDET_VERSION, command.name, roff(command.summary));
  page += fmt::format(".SH SYNOPSIS\n.B effdet {}\n[options]", command.name);
  for (const CLI::Option* option : line.get_options())
    if (option->get_positional()) page += fmt::format(" [{}]", roff(option->get_name(true, false)));
  if (!command.tool.empty()) page += fmt::format("\n.br\n.B {}\n[options]", command.tool);
  page += fmt::format("\n.SH DESCRIPTION\n{}\n.SH OPTIONS\n", roff(line.get_description()));
  for (const CLI::Option* option : line.get_options())
    if (is_shown(*option))
      page += fmt::format(".TP\n.B {}\n{}\n", roff(usage_of(*option)), roff(option->get_description()));
  return page + fmt::format(
                    ".SH EXAMPLES\n.nf\n{}\n.fi\n.SH EXIT STATUS\n0 success, 2 usage, 3 bad input, 4 "
                    "input and output, 5 not supported, 6 mismatch, 7 out of memory, 70 a bug.\n",
                    roff(line.examples()));
}

}  // namespace

int run_manual(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Writes man pages (OUT/man/man1), and completion for bash (OUT/bash-completion/completions/effdet) and "
      "zsh (OUT/zsh/site-functions/_effdet), as an installation has them below share/.",
      "effdet manual --out ~/.local/share\n"
      "man -M ~/.local/share/man effdet-detect");
  std::string out;
  line.add_option("--out", out, "folder to write to")->required()->type_name("DIR");
  if (!line.read()) return 0;

  std::map<std::string, std::string> pages;
  std::vector<CompletedCommand> all;
  std::string index;
  for (const Command& command : commands())
    CommandLine::describe(command.run, fmt::format("effdet {}", command.name), [&](const CommandLine& of_command) {
      pages[fmt::format("effdet-{}", command.name)] = man_page(command, of_command);
      all.push_back(completed(command, of_command));
      index += fmt::format(".TP\n.BR effdet\\-{} (1)\n{}\n", command.name, roff(command.summary));
    });
  pages["effdet"] = fmt::format(
      ".TH EFFDET 1 \"\" \"effdet {}\"\n.SH NAME\neffdet \\- EfficientDet from checkpoint to detections and COCO mAP\n"
      ".SH SYNOPSIS\n.B effdet\nCOMMAND [options]\n.SH COMMANDS\n{}",
      EFFDET_VERSION, index);
  const fs::path root = out, man = root / "man/man1", bash = root / "bash-completion/completions",
                 zsh = root / "zsh/site-functions";
  for (const fs::path& folder : {man, bash, zsh}) make_output_folder(folder);
  for (const auto& [name, page] : pages) write_output(man / (name + ".1"), page);
  write_output(bash / "effdet", bash_completion(all));
  write_output(zsh / "_effdet", zsh_completion(all));
  fmt::print("[INFO] {} man pages, and completion for bash and zsh, written to {}\n", pages.size(), out);
  return 0;
}

}  // namespace effdet::cli
