// Flags of serve that say how requests run and wait: queues, priorities, models with settings of their own.
#pragma once

#include <string>
#include <vector>

#include "cli.h"
#include "effdet/server.h"

namespace effdet::cli {

class ServeSchedule {
 public:
  void add_to(CommandLine& line, ServerOptions& options);
  /// After the flags were read. Throws Error(kUsage) for settings that are none, and for a model that is not served.
  void apply(ServerOptions& options, std::vector<ServedModel>& models) const;

 private:
  std::string queue_bytes_ = "256MiB";
  double queue_milliseconds_ = 0;
  std::vector<std::string> settings_;
};

}  // namespace effdet::cli
