// Published weights: downloads into a local folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "effdet/export.h"

namespace effdet {

struct DownloadOptions {
  std::string url;               ///< address of the file; empty: the release of effdet that has the model's weights
  std::string mirror;            ///< address of a folder with the releases' files, used instead of effdet's releases
  std::filesystem::path folder;  ///< empty: $XDG_CACHE_HOME/effdet, or $HOME/.cache/effdet
  uint64_t max_bytes = uint64_t{1} << 30;  ///< a larger file is refused; published weights have up to 0.3 GB
  int stall_seconds = 30;                  ///< give up after so many seconds below 1000 bytes a second; at least 1
  /// Called as bytes arrive; `total` is 0 until the server has sent it.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

/// Whether effdet published weights for the model variant of that name.
EFFDET_API bool has_release(const std::string& model);

/// Downloads the published weights of a model variant, unless the folder has them already. Returns the file. Resumes an
/// interrupted download, and checks the file's SHA-256 against the prefix in its name, as torch.hub does. Throws
/// Error(kUsage) for a model without published weights, Error(kIo) if network, server or disk fail, Error(kBadInput)
/// for another checksum, an empty file, or one larger than max_bytes.
EFFDET_API std::filesystem::path download_checkpoint(const std::string& model, const DownloadOptions& options = {});

}  // namespace effdet
