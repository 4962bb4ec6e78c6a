// Lines with times, appended to a file.
#include "log.h"

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
  std::setvbuf(log_file, nullptr, _IOLBF, BUFSIZ);
}

void log_end(int code) {
  char text[64];
  std::snprintf(text, sizeof text, "ended with exit code %d", code);
  log_line("info", text);
}

void log_line(std::string_view level, std::string_view text) {
  if (log_file == nullptr) return;
  char time[sizeof "2000-01-01T00:00:00Z"] = "";
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  if (gmtime_r(&now, &utc) != nullptr) std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::fprintf(log_file, "%s %.*s %.*s\n", time, static_cast<int>(level.size()), level.data(),
               static_cast<int>(text.size()), text.data());
}

}  // namespace effdet::cli
