// Finds which mapped file a bus error belongs to, without allocating.
#include "lost_page.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

namespace effdet::cli {
namespace {

void (*leave_process)(const char* path) = nullptr;

/// Lines of /proc/self/maps, "begin-end rwxp offset device inode   path", read character by character.
class MapsParser {
 public:
  MapsParser(uintptr_t address, std::span<char> path) : address_(address), path_(path) {}

  /// True once the line of the address is complete.
  bool take(char c) {
    if (c == '\n') {
      if (begin_ <= address_ && address_ < end_) return true;
      begin_ = end_ = field_ = length_ = 0;
      path_[0] = '\0';
    } else if (field_ < 2 && (c == '-' || c == ' ')) {
      ++field_;
    } else if (field_ < 2) {
      uintptr_t& number = field_ == 0 ? begin_ : end_;
      number = number * 16 + static_cast<uintptr_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    } else if ((c == '/' || length_ > 0) && length_ + 1 < path_.size()) {
      path_[length_++] = c;
      path_[length_] = '\0';
    }
    return false;
  }

 private:
  uintptr_t address_, begin_ = 0, end_ = 0;
  size_t field_ = 0, length_ = 0;
  std::span<char> path_;
};

void on_bus_error(int signal, siginfo_t* info, void*) {
  char path[PATH_MAX] = "";
  if (info->si_code == BUS_ADRERR) find_mapped_file(info->si_addr, path);
  if (path[0] == '\0') {  // not ours: as without this handler
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  for (char* c = path; *c != '\0'; ++c)
    if (static_cast<unsigned char>(*c) < ' ') *c = '?';  // the message is one line
  leave_process(path);
}

}  // namespace

void find_mapped_file(const void* address, std::span<char> path) {
  path[0] = '\0';
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return;
  MapsParser parser(reinterpret_cast<uintptr_t>(address), path);
  bool found = false;
  char buffer[4096];
  for (ssize_t got; !found && (got = ::read(maps, buffer, sizeof buffer)) > 0;)
    for (ssize_t i = 0; i < got && !found; ++i) found = parser.take(buffer[i]);
  if (!found) path[0] = '\0';
  ::close(maps);
}

void report_lost_pages(void (*leave)(const char* path)) {
  leave_process = leave;
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace effdet::cli
