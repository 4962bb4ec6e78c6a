// Starts a program in a process group with limits, and ends it at a deadline.
#include "faults/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support/shell.h"

namespace effdet::faults {
namespace {

std::vector<std::string> environment_of(const Start& start) {
  std::vector<std::string> lines;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string line = *entry;
    if (!start.environment.contains(line.substr(0, line.find('=')))) lines.push_back(line);
  }
  for (const auto& [name, value] : start.environment)
    if (!value.empty()) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Process::Process(const Start& start)
    : out_(start.folder.string() + ".stdout"), error_(start.folder.string() + ".stderr") {
  // All memory is taken before the fork: another thread may hold the allocator's lock.
  const std::string program = EFFDET_BIN "/" + start.arguments.at(0);
  std::vector<std::string> arguments = start.arguments, environment = environment_of(start);
  const std::vector<char*> argv = pointers_to(arguments), envp = pointers_to(environment);
  pid_ = ::fork();
  if (pid_ != 0) return;
  const auto redirect = [](const std::string& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    ::dup2(file, descriptor);
    ::close(file);
  };
  redirect(out_, STDOUT_FILENO);
  redirect(error_, STDERR_FILENO);
  if (::chdir(start.folder.c_str()) != 0) ::_exit(126);
  if (start.limit != nullptr) start.limit(start.limit_argument);
  ::execve(program.c_str(), argv.data(), envp.data());
  ::_exit(127);
}

Process::~Process() {
  if (pid_ <= 0) return;
  send(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::send(int signal) const { ::kill(pid_, signal); }

bool Process::runs() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

Outcome Process::wait(std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  Outcome outcome;
  int status = 0;
  rusage usage{};
  while (::wait4(pid_, &status, WNOHANG, &usage) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      outcome.hung = true;
      send(SIGKILL);
      ::wait4(pid_, &status, 0, &usage);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  pid_ = -1;
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  outcome.peak_memory = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  outcome.out = test::content(out_);
  outcome.error = test::content(error_);
  return outcome;
}

}  // namespace effdet::faults
