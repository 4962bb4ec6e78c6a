// Lines with times, appended to a file.
#include "log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

bool quiet = false;
std::FILE* log_file = nullptr;  // open to the end of the process
int write_error = 0;            // errno of the first line that was lost

}  // namespace

void set_quiet(bool on) { quiet = on; }
bool is_quiet() { return quiet; }

void open_log(const std::string& path) {
  // A FIFO that nobody reads would wait for ever. Once it is open, a reader that is slow is waited for.
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
  if (file < 0 && errno == ENXIO)
    throw Error(ErrorCode::kIo, fmt::format("{}: nobody reads this FIFO; start the reader first", path));
  if (file < 0 || ::fcntl(file, F_SETFL, O_APPEND) != 0 || (log_file = ::fdopen(file, "a")) == nullptr)
    throw Error(ErrorCode::kIo, fmt::format("{}: {}", path, std::strerror(errno)));
  std::setvbuf(log_file, nullptr, _IOLBF, BUFSIZ);
}

int log_end(int code) {
  char text[64];
  std::snprintf(text, sizeof text, "ended with exit code %d", code);
  log_line("info", text);
  if (write_error == 0) return code;
  std::fprintf(stderr, "effdet: error: the log could not be written: %s\n", std::strerror(write_error));
  return code != 0 ? code : static_cast<int>(ErrorCode::kIo);
}

void log_line(std::string_view level, std::string_view text) {
  if (log_file == nullptr) return;
  char time[sizeof "2000-01-01T00:00:00Z"] = "";
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  if (gmtime_r(&now, &utc) != nullptr) std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &utc);
  const int written = std::fprintf(log_file, "%s %.*s %.*s\n", time, static_cast<int>(level.size()), level.data(),
                                   static_cast<int>(text.size()), text.data());
  if ((written < 0 || std::ferror(log_file) != 0) && write_error == 0) write_error = errno != 0 ? errno : EIO;
}

}  // namespace effdet::cli
