// Runs rsvg-convert: a program that is there or not costs neither the build nor the start of the commands anything.
#include "report/rasterize.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace effdet::cli {
namespace {

constexpr const char* kProgram = "rsvg-convert";
constexpr std::string_view kPngBegin = "\x89PNG";

/// In the folders of PATH that are not relative to the current one. Empty where it is in none.
std::string program_path() {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    const std::string file = std::string(folder) + "/" + kProgram;
    if (folder.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

/// A file without a name that holds the text, to be read from its beginning; -1 where there is none.
int file_of(const std::string& text) {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr) return -1;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  const int descriptor = written ? ::fcntl(::fileno(file), F_DUPFD_CLOEXEC, 3) : -1;
  std::fclose(file);
  if (descriptor >= 0) ::lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

std::string read_all(int descriptor) {
  std::string text;
  ::lseek(descriptor, 0, SEEK_SET);
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::read(descriptor, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<size_t>(got));
  return text;
}

/// Whether the program ended well. Its errors are not shown: what it cannot draw is left out.
bool run_program(const std::string& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<std::string, 3> arguments = {kProgram, "--format=png", "--zoom=2"};
  std::array<char*, 4> argv = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  pid_t child = -1;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (error != 0) return false;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::string rasterize(const std::string& svg) {
  const std::string program = program_path();
  if (program.empty()) return {};
  const int input = file_of(svg), output = file_of("");
  std::string png;
  if (input >= 0 && output >= 0 && run_program(program, input, output)) png = read_all(output);
  if (input >= 0) ::close(input);
  if (output >= 0) ::close(output);
  return png.starts_with(kPngBegin) ? png : std::string();
}

}  // namespace effdet::cli
