// The line at the bottom of a terminal that a progress bar draws on standard error. Whatever else is printed there goes
// through here, so that the two never share a line.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>

namespace effdet::cli {

/// Draws the line anew, cut to the terminal's width.
void show_status_line(std::string_view text);

/// Removes the line. Takes neither locks nor memory, so that the end of a process may call it at any time.
void erase_status_line();

/// Prints on standard error. What cannot be printed there is lost, since nothing else could tell of it: a log on a full
/// disk ends no run.
template <typename... Arguments>
void print_stderr(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

/// Hands what was printed to the system. False where it does not take it: the command goes on, since its files may be
/// what it was started for, and main() ends it with the error.
bool flush_stdout();
/// errno of the first flush_stdout() that failed; 0 where none did.
int output_error();

/// While it lives, one thread prints whole lines on standard error, after what standard output has so far. The status
/// line makes room for them; it is drawn again with the next progress. Takes no memory.
class RoomForLines {
 public:
  RoomForLines();

 private:
  std::lock_guard<std::mutex> lock_;
};

}  // namespace effdet::cli
