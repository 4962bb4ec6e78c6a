// What a command says beside its results: how much of it, and a file that keeps it.
#pragma once

#include <string>
#include <string_view>

namespace effdet::cli {

/// No warnings, notes and progress on standard error; errors stay. For --quiet.
void set_quiet(bool quiet);
bool is_quiet();

/// Appends a line to the file of --log-file with the time before it, where there is one: level is "info", "warning" or
/// "error". Takes no memory, and no locks of its own: callers print whole lines one at a time.
void log_line(std::string_view level, std::string_view text);
/// The last line. Takes no memory. Returns the exit code: another one than 0 where lines were lost, which it says on
/// standard error.
int log_end(int code);

/// Opens the file, which is kept and appended to. Throws Error(kIo), also for a FIFO that nobody reads.
void open_log(const std::string& path);

}  // namespace effdet::cli
