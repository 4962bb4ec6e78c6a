// effdet COMMAND ...: finds the command, by the program's own name or by the first argument, and turns errors into one
// line and an exit code.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli.h"
#include "commands.h"
#include "effdet/error.h"
#include "log.h"
#include "signals.h"
#include "status_line.h"
#include "verbose.h"

namespace effdet::cli {
namespace {

constexpr int kClosedPipe = 128 + 13;  // what a shell shows for a program that SIGPIPE ended

void print_commands() {
  fmt::print("effdet {}: EfficientDet from checkpoint to detections and COCO mAP\n\n", EFFDET_VERSION);
  fmt::print("Usage: effdet COMMAND ...\n       effdet COMMAND --help\n       effdet --version\n");
  std::string_view group;
  for (const Command& command : commands()) {
    if (command.group != group) fmt::print("\n{}\n", group = command.group);
    fmt::print("  {:<13}{:<18}{}\n", command.name, command.tool, command.summary);
  }
  fmt::print("\nThe second column is the original tool; a link of that name runs the command.\n");
}

int run_named(const Command& command, std::string program, std::vector<char*> arguments) {
  arguments.insert(arguments.begin(), program.data());
  const int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  return command.run(count, arguments.data());
}

const Command& command_or_fail(const std::string& name) {
  if (const Command* command = find_command(name)) return *command;
  const std::string nearest = nearest_command(name);
  throw Error(ErrorCode::kUsage, !nearest.empty()
                                     ? fmt::format("there is no command '{}'; did you mean '{}'?", name, nearest)
                                     : fmt::format("there is no command '{}'; effdet --help lists the commands", name));
}

/// `program` becomes the name that error messages begin with.
int dispatch(int argc, char** argv, std::string& program) {
  const std::string invoked = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
  std::vector<char*> arguments(argv + (argc > 0), argv + argc);
  if (const Command* command = find_command(invoked)) {
    program = invoked;
    return run_named(*command, program, arguments);
  }
  if (arguments.empty()) return print_commands(), 0;
  const std::string first = arguments.front();
  arguments.erase(arguments.begin());
  const bool help = first == "help" || first == "--help" || first == "-h";
  if (first == "--version" || first == "-V") return fmt::print("effdet {}\n", EFFDET_VERSION), 0;
  if (help && arguments.empty()) return print_commands(), 0;
  const Command& command = command_or_fail(help ? arguments.front() : first);
  program = fmt::format("effdet {}", command.name);
  char help_flag[] = "--help";
  return run_named(command, program, help ? std::vector<char*>{help_flag} : arguments);
}

int report(const std::string& program, int code, std::string_view message) {
  const std::string line = one_line(message);
  const RoomForLines room;
  log_line("error", line);
  print_stderr("{}: error: {}\n", program, line);
  return code;
}

int report_output_error(const std::string& program, int code) {
  if (code == EPIPE) return kClosedPipe;  // the reader has seen enough: no error to speak of
  return report(program, static_cast<int>(ErrorCode::kIo),
                fmt::format("cannot write to standard output: {}", std::strerror(code)));
}

int run(int argc, char** argv) {
  std::string program = "effdet";
  try {
    watch_signals();
    const int code = dispatch(argc, argv, program);
    flush_stdout();
    const int lost = output_error();
    return lost == 0 ? code : report_output_error(program, lost);
  } catch (const Error& error) {
    return report(program, static_cast<int>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return report(program, static_cast<int>(ErrorCode::kOutOfMemory), "memory ran out");
  } catch (const std::filesystem::filesystem_error& error) {
    return report(program, static_cast<int>(ErrorCode::kIo),
                  fmt::format("{}: {}", error.path1().string(), error.code().message()));
  } catch (const std::system_error& error) {  // fmt::print's
    return report_output_error(program, error.code().value());
  } catch (const std::exception& error) {
    return report(program, static_cast<int>(ErrorCode::kInternal), fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace
}  // namespace effdet::cli

int main(int argc, char** argv) {
  effdet::cli::open_standard_streams();
  int code = effdet::cli::run(argc, argv);
  std::fflush(stdout);
  effdet::cli::end_of_verbose();
  code = effdet::cli::log_end(code);
  // Ends without static destructors: the thread that waits for signals is still there.
  std::_Exit(code);
}
