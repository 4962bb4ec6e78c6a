// Answers to requests that fail.
#include "server/message.h"

#include <nlohmann/json.hpp>

namespace effdet::server {

Answer error_answer(int status, const std::string& message) {
  Answer answer;
  answer.status = status;
  answer.error = message;
  answer.text =
      nlohmann::json({{"error", message}}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (status == 503) answer.fields.emplace_back("Retry-After", "1");
  if (status == 401) answer.fields.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

}  // namespace effdet::server
