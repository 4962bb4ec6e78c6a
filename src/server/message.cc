// Answers to requests that fail.
#include "server/message.h"

#include <nlohmann/json.hpp>
#include <string_view>

namespace effdet::server {
namespace {

/// A name out of a request may be as long as its body.
std::string shortened(const std::string& text) {
  constexpr size_t kMost = 1024;
  if (text.size() <= kMost) return text;
  const auto is_inside = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };  // of UTF-8
  constexpr std::string_view kCut = "...";
  size_t end = kMost - kCut.size();
  while (end > 0 && is_inside(text[end])) --end;
  return text.substr(0, end).append(kCut);
}

}  // namespace

Answer error_answer(int status, const std::string& message) {
  Answer answer;
  answer.status = status;
  answer.error = shortened(message);
  answer.text =
      nlohmann::json({{"error", answer.error}}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (status == 503) answer.fields.emplace_back("Retry-After", "1");
  if (status == 401) answer.fields.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

}  // namespace effdet::server
