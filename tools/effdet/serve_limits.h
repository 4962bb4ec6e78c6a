// Flags of serve that bound what clients may take: sizes, connections, times.
#pragma once

#include <string>

#include "cli.h"
#include "effdet/server.h"

namespace effdet::cli {

class ServeLimits {
 public:
  void add_to(CommandLine& line, ServerOptions& options);
  /// After the flags were read. Throws Error(kUsage) for sizes that are none.
  void apply(ServerOptions& options) const;

 private:
  std::string most_body_ = "64MiB", most_memory_ = "1GiB";
};

}  // namespace effdet::cli
