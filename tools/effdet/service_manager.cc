// systemd's protocols for sockets and states: sd_listen_fds(3), sd_notify(3).
#include "service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

int inherited_socket() {
  constexpr int kFirst = 3;
  const std::string process = variable("LISTEN_PID"), count = variable("LISTEN_FDS");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (process != std::to_string(::getpid()) || count.empty() || count == "0") return -1;
  if (count != "1")
    throw Error(ErrorCode::kUsage, "the service manager gave " + count + " sockets: this program takes one, for HTTP");
  ::fcntl(kFirst, F_SETFD, FD_CLOEXEC);
  return kFirst;
}

void notify_service_manager(const std::string& state) {
  const std::string path = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // a name of the abstract ones
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), length));  // who does not listen is not told
  ::close(socket);
}

}  // namespace effdet::cli
