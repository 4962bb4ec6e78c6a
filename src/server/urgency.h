// How urgent a request is: its priority and its timeout.
#pragma once

#include <cstdint>
#include <optional>

#include "server/message.h"

namespace effdet::server {

struct Urgency {
  uint64_t level = 1;                         ///< of the queue; lower ones go first
  std::optional<Clock::time_point> deadline;  ///< after which nobody wants it to begin
};

struct UrgencyRules {
  int priority_levels = 0;   ///< 0: requests have the same priority, whatever they ask for
  double queue_seconds = 0;  ///< for requests that have no timeout; 0: they wait for ever
};

/// What the query says (`priority`, `timeout` in microseconds; 0 is as none), else the parameters of the message, or of
/// the request's JSON where that is short and not compressed: the thread of the connections reads it. Broken JSON is
/// left to who reads all of it. Throws HttpError(400).
Urgency urgency_of(const Request& request, bool has_json, const UrgencyRules& rules);

}  // namespace effdet::server
