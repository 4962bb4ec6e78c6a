// How --help shows options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace effdet::cli {

/// CLI11's form, but an option that is an argument, too, is required and described once.
class HelpText : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_argument) const override;
};

}  // namespace effdet::cli
