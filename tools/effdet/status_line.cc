// Draws and clears the status line, within the terminal's width.
#include "status_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>

namespace effdet::cli {
namespace {

/// To the begin of the line, and all of it away.
constexpr std::string_view kErase = "\r\033[K";

std::mutex line_mutex;
std::atomic<bool> line_shown = false;
std::atomic<int> first_output_error = 0;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

/// Columns of the terminal; far more than a line has where it does not tell.
size_t terminal_width() {
  constexpr size_t kUnknown = 1000;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : kUnknown;
}

}  // namespace

void show_status_line(std::string_view text) {
  // A line that wraps could not be removed; the last column would move the cursor on.
  const std::string line = "\r" + std::string(text.substr(0, terminal_width() - 1)) + "\033[K";
  const std::lock_guard lock(line_mutex);
  line_shown = true;
  write_all(line);
}

void erase_status_line() {
  if (line_shown.exchange(false)) write_all(kErase);
}

bool flush_stdout() {
  if (std::fflush(stdout) == 0) return true;
  int none = 0;
  first_output_error.compare_exchange_strong(none, errno);
  return false;
}

int output_error() { return first_output_error; }

RoomForLines::RoomForLines() : lock_(line_mutex) {
  erase_status_line();
  flush_stdout();
}

}  // namespace effdet::cli
