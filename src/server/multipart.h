// Bodies with several files: multipart/form-data, as forms and `curl -F` send them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace effdet::server {

struct MultipartFile {
  std::string name;  ///< its filename, else the field's name; "" where it has none
  std::span<const std::byte> bytes;
};

bool is_multipart(std::string_view content_type);
/// The parts of a body, at most `most`, which must outlive the result. Throws HttpError(400) for a body that is not
/// what the Content-Type says, and for one without parts.
std::vector<MultipartFile> multipart_files(std::string_view body, std::string_view content_type, size_t most);

}  // namespace effdet::server
