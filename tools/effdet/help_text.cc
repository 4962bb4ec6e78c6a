// Prints a line of --help for one option.
#include "help_text.h"

#include <fmt/format.h>

#include <sstream>

namespace effdet::cli {
namespace {

/// "--soft-nms{gaussian}": what stands for a missing value is told in the description.
std::string without_braces(std::string name) {
  const size_t open = name.find('{'), close = name.find('}');
  return close == std::string::npos ? name : name.erase(open, close + 1 - open);
}

std::string without_required(std::string text) {
  constexpr std::string_view kRequired = " REQUIRED";
  const size_t at = text.find(kRequired);
  return at == std::string::npos ? text : text.erase(at, kRequired.size());
}

}  // namespace

std::string HelpText::make_option(const CLI::Option* option, bool is_argument) const {
  const std::string name = without_braces(make_option_name(option, is_argument)), form = make_option_opts(option);
  const bool is_second = !is_argument && option->get_positional();
  std::ostringstream line;
  CLI::detail::format_help(
      line, name + (is_second ? without_required(form) : form),
      is_second ? fmt::format("the same as {}", option->get_name(true, false)) : make_option_desc(option),
      get_column_width());
  return line.str();
}

}  // namespace effdet::cli
