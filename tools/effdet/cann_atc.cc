// Finds CANN's atc and runs it in the place of this process: no shell, so that arguments arrive as they are.
#include "cann_atc.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

#include "atc_options.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// Where CANN's programs are: its own environment's folder, or those of an installation up to version 8, and from 9 on.
std::vector<fs::path> program_folders() {
  if (const char* home = std::getenv("ASCEND_HOME_PATH"); home != nullptr && *home != '\0')
    return {fs::path(home) / "bin"};
  return {"/usr/local/Ascend/ascend-toolkit/latest/bin", "/usr/local/Ascend/cann/bin"};
}

/// Empty where there is none. A link from there to this program is not CANN's.
fs::path find_program() {
  std::error_code error;
  for (const fs::path& folder : program_folders()) {
    const fs::path program = folder / "atc";
    if (::access(program.c_str(), X_OK) == 0 && !fs::is_directory(program, error) &&
        !fs::equivalent(program, "/proc/self/exe", error))
      return program;
  }
  return {};
}

}  // namespace

std::string card_version(int argc, char** argv) {
  constexpr std::string_view kFlag = "--soc_version";
  for (int i = 1; i < argc; ++i) {
    std::string_view text = argv[i];
    if (!text.starts_with(kFlag)) continue;
    text.remove_prefix(kFlag.size());
    if (text.starts_with('='))
      text.remove_prefix(1);
    else if (text.empty() && i + 1 < argc)
      text = argv[i + 1];
    if (text.starts_with("Ascend")) return std::string(text);
  }
  return "";
}

void become_cann_atc(int argc, char** argv, const std::string& soc_version) {
  const fs::path program = find_program();
  if (program.empty()) {
    std::string looked;
    for (const fs::path& folder : program_folders())
      looked += fmt::format("{}{}", looked.empty() ? "" : ", ", folder.string());
    fail_value(ErrorCode::kUnsupported, "--soc_version", soc_version,
               fmt::format(
                   "CANN, which compiles for cards, is not installed: there is no atc in {}; source its set_env.sh, or "
                   "compile for this processor with --soc_version=native",
                   looked));
  }
  std::string name = program.string();
  std::vector<char*> arguments = {name.data()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);  // a thread of ours waits for signals, which would stay blocked
  ::execv(name.c_str(), arguments.data());
  throw Error(ErrorCode::kIo, fmt::format("cannot start {}: {}", name, std::strerror(errno)));
}

}  // namespace effdet::cli
