// Running the built commands on a terminal, and what is to be seen there in the end.
#pragma once

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace effdet::test {

/// A terminal's lines after what was written to it: line ends, carriage returns, the deletion of a line's rest, and
/// lines that are longer than the terminal is wide.
class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  void write(const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 3, "\033[K") == 0) {
        lines_.back().resize(column_);
        i += 2;
      } else if (text[i] == '\r') {
        column_ = 0;
      } else if (text[i] == '\n') {
        lines_.emplace_back();
        column_ = 0;
      } else {
        put(text[i]);
      }
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void put(char c) {
    if (column_ == columns_) {
      lines_.emplace_back();
      column_ = 0;
    }
    std::string& line = lines_.back();
    if (line.size() <= column_) line.resize(column_ + 1, ' ');
    line[column_++] = c;
  }

  size_t columns_, column_ = 0;
  std::vector<std::string> lines_{""};
};

struct TerminalResult {
  int code = -1;
  std::string raw;                 ///< all that was written
  std::vector<std::string> lines;  ///< what is to be seen in the end
};

/// Runs a shell command in a folder, with the programs in PATH, on a terminal of so many columns.
inline TerminalResult run_on_terminal(const std::filesystem::path& folder, const std::string& command,
                                      unsigned short columns) {
  winsize size{.ws_row = 50, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  TerminalResult result;
  if (child < 0) return result;
  if (child == 0) {
    const std::string line =
        "cd '" + folder.string() + "' && export PATH='" EFFDET_BIN "':\"$PATH\" && { " + command + "\n}";
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  char buffer[4096];
  for (ssize_t count; (count = ::read(terminal, buffer, sizeof buffer)) > 0;)
    result.raw.append(buffer, static_cast<size_t>(count));
  ::close(terminal);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  Screen screen(columns);
  screen.write(result.raw);
  result.lines = screen.lines();
  return result;
}

}  // namespace effdet::test
