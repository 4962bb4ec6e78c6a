// Decodes paths and queries.
#include "server/target.h"

#include "server/http_error.h"

namespace effdet::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) throw HttpError(400, "the URL has a '%' without two hexadecimal digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) throw HttpError(400, "the URL has a control character");
    decoded += c;
  }
  return decoded;
}

std::string path_step(std::string_view text) {
  std::string step = percent_decoded(text, false);
  if (step.empty() || step == "." || step == ".." || step.find_first_of("/\\") != std::string::npos)
    throw HttpError(400, "the URL's path has a step that is empty, '.' or '..', or an encoded slash");
  return step;
}

/// Calls f with each part between separators.
template <typename F>
void split(std::string_view text, char separator, F&& f) {
  while (true) {
    const size_t end = text.find(separator);
    f(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const std::string* Target::find(std::string_view name) const {
  for (size_t i = query.size(); i-- > 0;)
    if (query[i].first == name) return &query[i].second;
  return nullptr;
}

Target parse_target(std::string_view text) {
  if (!text.starts_with('/')) throw HttpError(400, "the request's target is no absolute path");
  Target target;
  const size_t question = text.find('?');
  std::string_view path = text.substr(1, question == std::string_view::npos ? question : question - 1);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) split(path, '/', [&](std::string_view step) { target.path.push_back(path_step(step)); });
  if (question == std::string_view::npos) return target;
  split(text.substr(question + 1), '&', [&](std::string_view pair) {
    if (pair.empty()) return;
    const size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    target.query.emplace_back(percent_decoded(pair.substr(0, equals), true), percent_decoded(value, true));
  });
  return target;
}

}  // namespace effdet::server
