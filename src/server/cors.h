// Pages of other sites as clients (CORS, of the Fetch standard): allowed to one origin, or to all.
#pragma once

#include <string>

#include "server/message.h"

namespace effdet::server {

/// Adds what lets a page of `origin` (the request's header of that name) see an answer. allowed: "https://example.org",
/// "*", or "" for none, when nothing is added.
void allow_origin(Answer& answer, const std::string& allowed, const std::string& origin);

/// The answer to the question that browsers ask before a request (method OPTIONS).
Answer preflight_answer();

}  // namespace effdet::server
