// Reading text files, by the functions of file.h.
#include "effdet/text_file.h"

#include "base/file.h"

namespace effdet {

std::string read_text_file(const std::filesystem::path& path) { return read_file(path, /*limit=*/1 << 20); }

}  // namespace effdet
