// The line at the bottom of a terminal that a progress bar draws on standard error. Whatever else is printed there goes
// through here, so that the two never share a line.
#pragma once

#include <mutex>
#include <string_view>

namespace effdet::cli {

/// Draws the line anew, cut to the terminal's width.
void show_status_line(std::string_view text);

/// Removes the line. Takes neither locks nor memory, so that the end of a process may call it at any time.
void erase_status_line();

/// While it lives, one thread prints whole lines on standard error, after what standard output has so far. The status
/// line makes room for them; it is drawn again with the next progress. Takes no memory.
class RoomForLines {
 public:
  RoomForLines();

 private:
  std::lock_guard<std::mutex> lock_;
};

}  // namespace effdet::cli
