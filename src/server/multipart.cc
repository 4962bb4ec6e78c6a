// Takes multipart bodies apart (RFC 2046, 7578).
#include "server/multipart.h"

#include <algorithm>

#include "base/ascii.h"
#include "server/http_error.h"

namespace effdet::server {
namespace {

/// The value of `name=value` or `name="value"` behind a semicolon; "" where there is none.
std::string field_parameter(std::string_view field, std::string_view name) {
  size_t at = 0;
  while ((at = field.find(';', at)) != std::string_view::npos) {
    ++at;
    while (at < field.size() && field[at] == ' ') ++at;
    if (!same_letters(field.substr(at, name.size()), name) || field.substr(at + name.size(), 1) != "=") continue;
    std::string_view value = field.substr(at + name.size() + 1);
    if (value.starts_with('"')) return std::string(value.substr(1, value.find('"', 1) - 1));
    return std::string(value.substr(0, value.find(';')));
  }
  return "";
}

/// The name that a part's header gives it. Header lines end with CRLF.
std::string name_of_part(std::string_view header) {
  constexpr std::string_view kDisposition = "content-disposition:";
  while (!header.empty()) {
    const size_t end = std::min(header.find("\r\n"), header.size());
    const std::string_view line = header.substr(0, end);
    if (same_letters(line.substr(0, kDisposition.size()), kDisposition)) {
      const std::string file = field_parameter(line, "filename");
      return file.empty() ? field_parameter(line, "name") : file;
    }
    header.remove_prefix(std::min(end + 2, header.size()));
  }
  return "";
}

}  // namespace

bool is_multipart(std::string_view content_type) {
  constexpr std::string_view kType = "multipart/form-data";
  return same_letters(content_type.substr(0, kType.size()), kType);
}

std::vector<MultipartFile> multipart_files(std::string_view body, std::string_view content_type, size_t most) {
  constexpr size_t kLongestBoundary = 70;
  const std::string boundary = field_parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kLongestBoundary)
    throw HttpError(400, "Content-Type: multipart/form-data needs a boundary of 1 to {} characters", kLongestBoundary);
  const std::string first = "--" + boundary, next = "\r\n--" + boundary;
  if (!body.starts_with(first)) throw HttpError(400, "the body does not begin with the boundary of its Content-Type");
  std::vector<MultipartFile> files;
  std::string_view rest = body.substr(first.size());
  while (!rest.starts_with("--")) {
    const size_t header_end = rest.find("\r\n\r\n");
    const size_t end = header_end == std::string_view::npos ? header_end : rest.find(next, header_end + 2);
    if (!rest.starts_with("\r\n") || end == std::string_view::npos || end < header_end + 4)
      throw HttpError(400, "part {} of the body is cut or has no header", files.size() + 1);
    if (files.size() == most) throw HttpError(400, "the body has more than {} parts", most);
    const std::string_view content = rest.substr(header_end + 4, end - header_end - 4);
    files.push_back({name_of_part(rest.substr(2, header_end - 2)), std::as_bytes(std::span(content))});
    rest.remove_prefix(end + next.size());
  }
  if (files.empty()) throw HttpError(400, "the body has no parts");
  return files;
}

}  // namespace effdet::server
