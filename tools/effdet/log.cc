// Lines with times, appended to a file.
#include "log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

bool quiet = false;
std::FILE* log_file = nullptr;  // open to the end of the process

}  // namespace

void set_quiet(bool on) { quiet = on; }
bool is_quiet() { return quiet; }

void open_log(const std::string& path) {
  log_file = std::fopen(path.c_str(), "ae");
  if (log_file == nullptr) throw Error(ErrorCode::kIo, fmt::format("{}: {}", path, std::strerror(errno)));
}

void log_line(std::string_view level, std::string_view text) {
  if (log_file == nullptr) return;
  const std::string line = fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} {}\n", fmt::gmtime(std::time(nullptr)), level, text);
  std::fwrite(line.data(), 1, line.size(), log_file);
  std::fflush(log_file);
}

}  // namespace effdet::cli
