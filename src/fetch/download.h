// Files from the web: resumed where they were broken off, checked against their names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "effdet/download.h"

namespace effdet::fetch {

/// The beginning of the file's SHA-256 that a name ends with ("d0-f153e0cf.pth": "f153e0cf"), as torch.hub has it; ""
/// where there is none.
std::string_view checksum_in_name(std::string_view name);

/// The last part of the URL's path. Throws Error(kUsage) where that is no plain file name.
std::string file_name_of(const std::string& url);

/// The folder for checkpoints: $XDG_CACHE_HOME/effdet, or $HOME/.cache/effdet. Throws Error(kUsage) where neither is
/// set.
std::filesystem::path cache_folder();

/// Fetches an http or https URL into options.folder (or cache_folder()) under its own name and returns the file; of the
/// options, `url` and `mirror` do not count. One that is there already with the right checksum is not fetched again.
/// Where the name has a checksum, bytes go to NAME.part, which a later call takes up, else to a temporary file; the
/// whole file is renamed. Throws Error: kIo where the network, the server or the disk refuses, kBadInput where the file
/// is empty, larger than options.max_bytes or has another checksum than its name says (the part is removed then).
std::filesystem::path download(const std::string& url, const DownloadOptions& options = {});

}  // namespace effdet::fetch
