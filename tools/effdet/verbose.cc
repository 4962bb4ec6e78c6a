// Facts of the process and its machine.
#include "verbose.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <new>

#include "cli.h"
#include "effdet/machine.h"
#include "log.h"
#include "processor.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

std::string verbose_program;  // empty: not asked for
std::chrono::steady_clock::time_point began;

void say(const std::string& text) {
  const RoomForLines room;
  log_line("info", text);
  print_stderr("{}: {}\n", verbose_program, text);
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

void be_verbose(const std::string& program) {
  verbose_program = program;
  began = std::chrono::steady_clock::now();
  say(fmt::format("effdet {}, {}, kernels for {}", EFFDET_VERSION, processor_name(), instruction_set()));
}

void end_of_verbose() try {
  if (verbose_program.empty()) return;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  say(fmt::format("{:.2f} s, {:.2f} s of processors, {} at most", seconds,
                  seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
                  bytes_text(static_cast<uint64_t>(used.ru_maxrss) * 1024)));
} catch (const std::bad_alloc&) {
  // The command is over, and has said what happened.
}

}  // namespace effdet::cli
