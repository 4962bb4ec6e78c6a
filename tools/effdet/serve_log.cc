// Writes what happened to a request.
#include "serve_log.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "status_line.h"

namespace effdet::cli {
namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%FT%T", &parts);
  return fmt::format("{}.{:03}Z", text, milliseconds);
}

void log_text(const ServedRequest& request) {
  const auto word = [](const std::string& text) { return text.empty() ? "-" : one_line(text); };
  print_stderr("{} {} {} {} {} in {} out {:.1f} ms {}{}{}\n", utc_now(), word(request.method), word(request.path),
               request.status, request.received, request.sent, request.seconds * 1e3, word(request.id),
               request.error.empty() ? "" : ": ", one_line(request.error));
}

void log_json(const ServedRequest& request) {
  nlohmann::ordered_json line = {{"time", utc_now()},          {"id", request.id},
                                 {"method", request.method},   {"path", request.path},
                                 {"status", request.status},   {"bytes_received", request.received},
                                 {"bytes_sent", request.sent}, {"milliseconds", request.seconds * 1e3}};
  if (!request.traceparent.empty()) line["traceparent"] = request.traceparent;
  if (!request.error.empty()) line["error"] = request.error;
  print_stderr("{}\n", line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

std::function<void(const ServedRequest&)> request_log(const std::string& format) {
  if (format == "text") return log_text;
  if (format == "json") return log_json;
  return {};
}

}  // namespace effdet::cli
