// Finds files of fonts.
#pragma once

#include <cstdint>
#include <string>

namespace effdet::vision {

/// A file, and which of its fonts.
struct FontFile {
  std::string path;
  int index = 0;
};

/// A plain font without serifs: Debian's fonts-dejavu-core, or what fontconfig gives for "sans". An empty path where
/// there is none.
FontFile plain_font();
/// One that has the character, by fontconfig. An empty path where there is none.
FontFile font_with(uint32_t character);

}  // namespace effdet::vision
