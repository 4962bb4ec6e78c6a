// Header fields that browsers ask for.
#include "server/cors.h"

namespace effdet::server {

void allow_origin(Answer& answer, const std::string& allowed, const std::string& origin) {
  if (allowed.empty()) return;
  if (allowed != "*") answer.fields.emplace_back("Vary", "Origin");
  if (origin.empty() || (allowed != "*" && allowed != origin)) return;
  answer.fields.emplace_back("Access-Control-Allow-Origin", allowed);
  answer.fields.emplace_back("Access-Control-Expose-Headers",
                             "Inference-Header-Content-Length, Retry-After, X-Request-Id");
}

Answer preflight_answer() {
  Answer answer;
  answer.fields = {{"Access-Control-Allow-Methods", "GET, POST"},
                   {"Access-Control-Allow-Headers",
                    "Accept, Authorization, Content-Encoding, Content-Type, Inference-Header-Content-Length, "
                    "Traceparent, X-Request-Id"},
                   {"Access-Control-Max-Age", "600"}};
  return answer;
}

}  // namespace effdet::server
