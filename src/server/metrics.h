// Numbers for Prometheus.
#pragma once

#include <string>
#include <vector>

#include "server/metadata.h"

namespace effdet::server {

/// What the server counts besides its models.
struct ServerCounts {
  uint64_t requests = 0;     ///< that were answered, of all kinds
  uint64_t connections = 0;  ///< now
  uint64_t memory = 0;       ///< bytes of requests and answers now
};

/// Prometheus' text form. What Triton counts too has its names.
std::string metrics_text(const std::vector<Interface>& interfaces, const ServerCounts& counts);

}  // namespace effdet::server
