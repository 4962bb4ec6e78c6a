// Images that cannot be used, in runs over many images.
#pragma once

#include <functional>
#include <string>

#include "effdet/error.h"

namespace effdet {

/// Whether an error with that code is caused by the image that was read: its file is missing, damaged, or of an
/// unsupported kind. A run over many images then continues without it; any other error would occur for every image.
constexpr bool lies_in_the_image(ErrorCode code) {
  return code == ErrorCode::kBadInput || code == ErrorCode::kUnsupported || code == ErrorCode::kIo;
}

/// An image that could not be used.
struct ImageFailure {
  ErrorCode code = ErrorCode::kBadInput;
  std::string message;  ///< one line that names the image
};
/// If set, called for each such image when it occurs, possibly from another thread; calls do not overlap.
using OnFailure = std::function<void(const ImageFailure&)>;

}  // namespace effdet
