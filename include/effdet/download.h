// Published weights, from the web into a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "effdet/export.h"

namespace effdet {

struct DownloadOptions {
  std::string url;                         ///< of the file itself, instead of effdet's release
  std::string mirror;                      ///< of a folder that holds the releases' files under their names
  std::filesystem::path folder;            ///< empty: $XDG_CACHE_HOME/effdet, or $HOME/.cache/effdet
  uint64_t max_bytes = uint64_t{1} << 30;  ///< a larger file is refused; published weights have up to 0.3 GB
  int stall_seconds = 30;                  ///< with less than 1000 bytes a second, after which a server is given up
  /// Called as bytes arrive; total is 0 as long as the server has not told it.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

/// Whether effdet published weights for the model of that name.
EFFDET_API bool has_release(const std::string& model);

/// The file with the model's published weights, fetched where the folder does not have it. A download that broke off is
/// taken up again, and a file whose SHA-256 is not what its name says is refused. Throws Error: kUsage for a model that
/// has no published weights, kIo where network, server or disk refuse, kBadInput for the wrong content and for too much
/// of it.
EFFDET_API std::filesystem::path download_checkpoint(const std::string& model, const DownloadOptions& options = {});

}  // namespace effdet
