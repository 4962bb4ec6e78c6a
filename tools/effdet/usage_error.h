// What is wrong with a command line, in one sentence, instead of the parser's own words.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace effdet::cli {

/// The error of app.parse(), with the flag or the argument that it is about, and the nearest flag to one that there is
/// not.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace effdet::cli
