// Reads the values of switches.
#include "switch_option.h"

#include <fmt/format.h>

#include <utility>

#include "cli.h"
#include "effdet/error.h"

namespace effdet::cli {

bool parse_switch(std::string_view flag, std::string text) {
  text = lower_case(std::move(text));
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is neither true nor false", flag, text));
}

CLI::Option* add_switch(CommandLine& line, const std::string& flag, bool& is_on, const std::string& description) {
  const std::string first = flag.substr(0, flag.find(','));
  return line
      .add_option_function<std::string>(
          flag, [&is_on, first](const std::string& text) { is_on = text.empty() || parse_switch(first, text); },
          description)
      ->expected(0, 1)
      ->type_name("[0|1]");
}

}  // namespace effdet::cli
