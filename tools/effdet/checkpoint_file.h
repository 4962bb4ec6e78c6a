// What --checkpoint means: a file, or the name of a model whose published weights are fetched.
#pragma once

#include <string>

#include "effdet/download.h"

namespace effdet::cli {

/// download_checkpoint() with a progress bar; EFFDET_MIRROR is the mirror where options give none.
std::string download_with_progress(const std::string& model, DownloadOptions options);

/// The file itself; where there is none of that name, but published weights of a model called so, their file.
std::string checkpoint_file(const std::string& argument);

}  // namespace effdet::cli
