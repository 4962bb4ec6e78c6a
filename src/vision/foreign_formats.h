// What a file is that is neither JPEG nor PNG.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace effdet::vision {

struct ForeignFormat {
  std::string what;         ///< with its article: "an AVIF file"
  std::string_view advice;  ///< what to do next
  /// kUnsupported for a format that is known and not read, kBadInput for what is no image in any format.
  ErrorCode code = ErrorCode::kUnsupported;
};

/// By content, never by name. Nothing where nobody could tell.
std::optional<ForeignFormat> foreign_format(std::string_view content);

}  // namespace effdet::vision
