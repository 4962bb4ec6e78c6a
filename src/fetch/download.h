// Files from the web: resumed where they were broken off, checked against their names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace effdet::fetch {

/// Called as bytes arrive; total is 0 as long as the server has not told it.
using ByteProgress = std::function<void(uint64_t done, uint64_t total)>;

struct DownloadLimits {
  uint64_t bytes = uint64_t{1} << 30;  ///< of the file: the largest of the family, D7x, has 0.3 GB of weights
  int stall_seconds = 30;              ///< with hardly a byte, after which a server is given up
};

/// The beginning of the file's SHA-256 that a name ends with ("d0-f153e0cf.pth": "f153e0cf"), as torch.hub has it; ""
/// where there is none.
std::string_view checksum_in_name(std::string_view name);

/// The last part of the URL's path. Throws Error(kUsage) where that is no plain file name.
std::string file_name_of(const std::string& url);

/// The folder for checkpoints: $XDG_CACHE_HOME/effdet, or $HOME/.cache/effdet. Throws Error(kUsage) where neither is
/// set.
std::filesystem::path cache_folder();

/// Fetches an http, https URL into the folder under its own name and returns the file. One that is there already with
/// the right checksum is not fetched again. Where the name has a checksum, bytes go to NAME.part, which a later call
/// takes up, else to a temporary file; the whole file is renamed. Throws Error: kIo where the network, the server or
/// the disk refuses, kBadInput where the file is empty, larger than the limit or has another checksum than its name
/// says (the part is removed then).
std::filesystem::path download(const std::string& url, const std::filesystem::path& folder,
                               const DownloadLimits& limits = {}, const ByteProgress& progress = {});

}  // namespace effdet::fetch
