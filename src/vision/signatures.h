// What a file is, by its first bytes: pictures that are read, and much else for errors that say what it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace effdet::vision {

struct ContentKind {
  std::string what;         ///< with its article: "an AVIF file"
  std::string_view advice;  ///< what to do next
  /// kUnsupported for a format that is known and not read, kBadInput for what is no image in any format.
  ErrorCode code = ErrorCode::kUnsupported;
};

/// By content, never by name. Nothing where nobody could tell.
std::optional<ContentKind> content_kind(std::string_view content);

}  // namespace effdet::vision
