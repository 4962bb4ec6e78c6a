// Recognises what is not a zip checkpoint, so that the message can name it.
#pragma once

#include "base/file.h"

namespace effdet {

/// Returns where the file starts like a zip archive. Throws Error(kUnsupported) that names the format (legacy
/// checkpoint, bare pickle, tar, safetensors, ...) otherwise, or Error(kBadInput) where it is none that we know.
void require_zip(const MappedFile& file);

}  // namespace effdet
