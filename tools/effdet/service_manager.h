// What systemd tells a service that it starts, and what it is told.
#pragma once

#include <string>

namespace effdet::cli {

/// The socket that the service manager opened for this process (LISTEN_PID, LISTEN_FDS); -1: none. The processes that
/// this one starts get none. Throws Error(kUsage) for several.
int inherited_socket();

/// Tells the service manager, if there is one (NOTIFY_SOCKET): "READY=1", "STOPPING=1".
void notify_service_manager(const std::string& state);

}  // namespace effdet::cli
