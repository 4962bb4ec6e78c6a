// A process that a service manager starts.
#include "service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "effdet/error.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

int inherited(const std::string& process, const std::string& count) {
  ::setenv("LISTEN_PID", process.c_str(), 1);
  ::setenv("LISTEN_FDS", count.c_str(), 1);
  const int socket = inherited_socket();
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
  return socket;
}

TEST(ServiceManager, GivesOneSocket) {
  const std::string own = std::to_string(::getpid());
  EXPECT_EQ(inherited_socket(), -1);
  EXPECT_EQ(inherited(own, "1"), 3);
  EXPECT_EQ(inherited(own, "0"), -1);
  EXPECT_EQ(inherited("1", "1"), -1);  // for another process
  EXPECT_EQ(inherited("", "1"), -1);
  EXPECT_THROW(inherited(own, "2"), Error);
  EXPECT_THROW(inherited(own, "x"), Error);
}

TEST(ServiceManager, IsToldOfStates) {
  const test::TestFolder folder("notify");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder.path() / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", address.sun_path, 1);
  notify_service_manager("READY=1");
  char text[100];
  const ssize_t bytes = ::recv(socket, text, sizeof text, MSG_DONTWAIT);
  EXPECT_EQ(std::string(text, static_cast<size_t>(std::max<ssize_t>(bytes, 0))), "READY=1");
  for (const char* path : {"/nowhere/socket", "", "@effdet-nobody"}) {
    ::setenv("NOTIFY_SOCKET", path, 1);
    notify_service_manager("READY=1");
  }
  ::unsetenv("NOTIFY_SOCKET");
  ::close(socket);
}

}  // namespace
}  // namespace effdet::cli
