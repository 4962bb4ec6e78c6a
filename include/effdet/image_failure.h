// Images that cannot be used, in runs over many.
#pragma once

#include <functional>
#include <string>

#include "effdet/error.h"

namespace effdet {

/// Whether an error of that code lies in the image that was read: its file is missing, damaged, or of a kind that is
/// not handled. A run over many images then goes on without it; what else fails would fail for every image.
constexpr bool lies_in_the_image(ErrorCode code) {
  return code == ErrorCode::kBadInput || code == ErrorCode::kUnsupported || code == ErrorCode::kIo;
}

/// An image that could not be used. Others go on without it.
struct PictureFailure {
  ErrorCode code = ErrorCode::kBadInput;
  std::string message;  ///< one line that names the image
};
/// Called for each as it happens, where set; may come from another thread, one call at a time.
using OnFailure = std::function<void(const PictureFailure&)>;

}  // namespace effdet
