// Words for what CLI11 throws: arguments that are too many, missing, repeated or without a value.
#include "usage_error.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "nearest_name.h"

namespace effdet::cli {
namespace {

bool is_flag(const std::string& argument) { return argument.size() > 1 && argument[0] == '-'; }

/// "; did you mean --score?" where one of the arguments is almost a flag.
std::string meant(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  for (const std::string& argument : app.remaining()) {
    if (!is_flag(argument)) continue;
    const std::string name = nearest_name(argument.substr(0, argument.find('=')), flags);
    if (!name.empty()) return fmt::format("; did you mean {}?", name);
  }
  return "";
}

/// A word behind an unknown flag may be its value, so the flag counts.
std::string unexpected(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining();
  for (const std::string& argument : rest)
    if (is_flag(argument)) return fmt::format("there is no flag {}", argument.substr(0, argument.find('=')));
  return fmt::format("'{}' is one argument too many", rest.empty() ? "" : rest.front());
}

/// The name without dashes is the one that people give first.
std::string missing(const CLI::App& app, const std::string& otherwise) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    const std::string flag = option->get_name(), argument = option->get_name(true, false);
    return argument.empty() || argument == flag || flag.empty()
               ? fmt::format("{} is required", flag.empty() ? argument : flag)
               : fmt::format("'{}' is required, as an argument or by {}", argument, flag);
  }
  return otherwise;
}

/// "--score: At Most 1 required but received 2", "--score: 1 required S missing"
std::string mismatch(std::string_view text) {
  const std::string_view flag = text.substr(0, text.find(": "));
  if (text.find("At Most") != std::string_view::npos) return fmt::format("{} is given more than once", flag);
  if (text.ends_with(" missing")) return fmt::format("{} needs a value", flag);
  return std::string(text);
}

/// What a file of flags holds may be long.
std::string of_bearable_length(std::string_view text) {
  constexpr size_t kMost = 300;
  return std::string(text.substr(0, kMost)) + (text.size() > kMost ? "..." : "");
}

std::string words(const CLI::App& app, const CLI::ParseError& error) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return unexpected(app);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) return missing(app, error.what());
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) return mismatch(error.what());
  return error.what();
}

}  // namespace

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  return of_bearable_length(words(app, error)) + meant(app);  // what is missing may be there under a mistyped name
}

}  // namespace effdet::cli
