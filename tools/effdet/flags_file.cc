// CLI11's reader of TOML, with names looked up and sizes bounded.
#include "flags_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "cli.h"
#include "effdet/error.h"
#include "nearest_name.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

class FlagsFile : public CLI::ConfigTOML {
 public:
  FlagsFile(const CLI::App& command, std::string name) : command_(command), name_(std::move(name)) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    check_file();
    std::vector<CLI::ConfigItem> items = CLI::ConfigTOML::from_config(input);
    for (CLI::ConfigItem& item : items) {
      if (!item.parents.empty() || item.name == "++" || item.name == "--")
        refuse(fmt::format("sections ([{}]) are not read: flags stand alone, NAME = VALUE",
                           item.parents.empty() ? "" : item.parents.front()));
      item.name = known_name(item.name);
    }
    return items;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kUsage, fmt::format("{}: {}", name_, why));
  }

  /// A file, and not more than flags can have.
  void check_file() const {
    constexpr size_t kMost = size_t{1} << 20;
    std::error_code ignored;
    if (!fs::is_regular_file(name_, ignored)) refuse("no regular file");
    if (fs::file_size(name_, ignored) > kMost) refuse("more than 1 MiB: no file of flags");
  }

  std::string known_name(const std::string& name) const {
    std::vector<std::string> flags;
    for (const CLI::Option* option : command_.get_options())
      for (const std::string& flag : option->get_lnames()) flags.push_back(flag);
    const auto plain = [](std::string text) {
      std::ranges::replace(text, '_', '-');
      return text;
    };
    const auto found = std::ranges::find(flags, plain(name), plain);
    if (found != flags.end()) return *found;
    const std::string near = nearest_name(name, flags);
    refuse(fmt::format("there is no flag '{}'{}", name.substr(0, 100),
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

  const CLI::App& command_;
  std::string name_;
};

}  // namespace

std::shared_ptr<CLI::Config> flags_file(const CLI::App& command, const std::string& name) {
  std::error_code error;
  if (fs::is_directory(name, error))
    throw Error(ErrorCode::kIo, fmt::format("--config: {}: cannot open: it is a folder", name));
  if (!fs::exists(name, error)) {
    if (command.get_option_no_throw("--config") != nullptr)
      throw Error(ErrorCode::kUsage, fmt::format("--config: '{}' is neither NAME=VALUE nor a file", name));
    throw Error(ErrorCode::kIo, fmt::format("--config: {}: cannot open: {}", name,
                                            error ? error.message() : "No such file or directory"));
  }
  return std::make_shared<FlagsFile>(command, name);
}

}  // namespace effdet::cli
