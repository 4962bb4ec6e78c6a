// A line for each request of serve.
#pragma once

#include <functional>
#include <string>

#include "effdet/server.h"

namespace effdet::cli {

/// Writes to standard error. format: "text", "json", or "none", of which there is no function.
std::function<void(const ServedRequest&)> request_log(const std::string& format);

}  // namespace effdet::cli
