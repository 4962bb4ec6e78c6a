// The members of tar files, which are read in place: names, places and sizes, without a copy of what is in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace effdet::dataset {

enum class TarKind { kFile, kHardLink, kSymbolicLink };

struct TarMember {
  TarKind kind = TarKind::kFile;
  std::string name;     ///< as in the archive; anything may be in it, ".." too
  uint64_t offset = 0;  ///< of its content in the file; 0 of a link
  uint64_t bytes = 0;
  std::string target;  ///< of a link: of a hard one the name of a member that came before
};

/// Calls f for each regular file and link in a tar file (ustar, pax, GNU), in order. Folders and devices are passed
/// over. Throws Error(kBadInput) that names the offset for a header whose checksum is wrong, sizes
/// beyond the file, a bad number or pax record, a file that is cut, and for what follows the archive's end;
/// Error(kUnsupported) for compressed archives, sparse files and parts of several volumes; Error(kIo).
void for_each_member(const std::filesystem::path& tar, const std::function<void(TarMember)>& f);

}  // namespace effdet::dataset
