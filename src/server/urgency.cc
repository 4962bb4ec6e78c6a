// Reads priorities and timeouts before a request is queued.
#include "server/urgency.h"

#include <string_view>

#include "effdet/error.h"
#include "eval/json_reader.h"
#include "server/http_error.h"
#include "server/text.h"

namespace effdet::server {
namespace {

constexpr size_t kMostJson = 64 << 10;

struct Asked {
  std::optional<uint64_t> priority, timeout;
};

std::optional<uint64_t> number_of(const Target& target, const char* name) {
  const std::string* text = target.find(name);
  if (text == nullptr) return std::nullopt;
  const auto value = whole_number<uint64_t>(*text);
  if (!value) throw HttpError(400, "{}={}: expected a whole number", name, *text);
  return value;
}

/// A whole number, or one in quotes. Throws as the reader.
uint64_t read_count(eval::JsonReader& reader, std::string_view name) {
  if (reader.peek() != '"') {
    const int64_t value = reader.read_integer();
    if (value < 0) throw HttpError(400, "parameter '{}': {} is below 0", name, value);
    return static_cast<uint64_t>(value);
  }
  const auto value = whole_number<uint64_t>(reader.read_string());
  if (!value) throw HttpError(400, "parameter '{}': expected a whole number", name);
  return *value;
}

std::string_view short_json(const Request& request) {
  const bool is_plain = request.content_encoding.empty() || request.content_encoding == "identity";
  const std::string_view text = request.body.text();
  const uint64_t length = request.header_length.value_or(text.size());
  return is_plain && length <= std::min(text.size(), kMostJson) ? text.substr(0, length) : std::string_view();
}

void read_parameters(std::string_view json, Asked& asked) {
  try {
    eval::JsonReader reader(json, "request");
    reader.read_object([&](std::string_view key) {
      if (key != "parameters") return reader.skip();
      reader.read_object([&](std::string_view parameter) {
        if (parameter == "priority" && !asked.priority) {
          asked.priority = read_count(reader, "priority");
        } else if (parameter == "timeout" && !asked.timeout) {
          asked.timeout = read_count(reader, "timeout");
        } else {
          reader.skip();
        }
      });
    });
  } catch (const Error&) {
    // Who reads all of it says what is wrong.
  }
}

uint64_t level_of(std::optional<uint64_t> priority, int levels) {
  if (levels < 1) return 1;
  const auto most = static_cast<uint64_t>(levels);
  if (priority.value_or(0) > most)
    throw HttpError(400, "priority {}: this server has 1 (first) to {}", *priority, most);
  return priority.value_or(0) == 0 ? (most + 1) / 2 : *priority;
}

}  // namespace

Urgency urgency_of(const Request& request, bool has_json, const UrgencyRules& rules) {
  Asked asked{number_of(request.target, "priority"), number_of(request.target, "timeout")};
  if (request.message && !asked.timeout) asked.timeout = request.message->timeout_us;
  if (const std::string_view json = has_json && !request.message ? short_json(request) : std::string_view();
      !json.empty())
    read_parameters(json, asked);
  Urgency urgency{.level = level_of(asked.priority, rules.priority_levels)};
  constexpr double kLongest = 1e9;  // seconds, which clocks can add
  const uint64_t timeout = asked.timeout.value_or(0);
  const double seconds = timeout > 0 ? static_cast<double>(timeout) / 1e6 : rules.queue_seconds;
  if (seconds > 0 && seconds < kLongest)
    urgency.deadline =
        request.arrival + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  return urgency;
}

}  // namespace effdet::server
