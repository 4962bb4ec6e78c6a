// Images by their places: files, and members of tar files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// An image of a run: a file, a member of a tar file, something in the web, or in memory.
struct ListedImage {
  std::string file;         ///< path, or an address that begins with http:// or https://
  std::string picture;      ///< name of the file that it is drawn to, without a folder; ends in .jpg
  std::string member = {};  ///< its name in the tar file; empty for a file of its own
  uint64_t offset = 0;      ///< of a member's content in the tar file
  uint64_t bytes = 0;       ///< of a member's content
  /// The image's own file in memory; file is then but a name. Null: it is read when its turn comes.
  std::shared_ptr<const std::vector<std::byte>> content = {};

  /// As messages and results name it: the file, and after a slash the member.
  EFFDET_API std::string name() const;
};

/// The images in a tar file (ustar, pax, GNU; not compressed), in order: regular files that are named as pictures
/// (is_image_name()) and do not begin with a dot. Only the headers are read. Pictures have no names yet. Names of
/// members are not trusted: nothing is opened or written by them. Throws Error(kBadInput), which names the offset, for
/// a file that is cut, damaged or none of these; Error(kUnsupported) for a compressed one and for sparse members;
/// Error(kUsage) where no image is in it; Error(kIo).
///
/// A hard link is the file that it leads to, where that is in the tar file, too. Symbolic links and other hard links
/// are left out: on_note, if set, is called with one line that tells how many, and the first.
EFFDET_API std::vector<ListedImage> images_of_tar(const std::filesystem::path& tar,
                                                  const std::function<void(const std::string&)>& on_note = {});

}  // namespace effdet
