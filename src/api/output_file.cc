#include "effdet/output_file.h"

#include "base/file.h"

namespace effdet {

void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  write_file(path, bytes, /*sync=*/false);
}

void write_output(const std::filesystem::path& path, std::string_view text) { write_file(path, text, /*sync=*/false); }

void make_output_folder(const std::filesystem::path& path) { make_folder(path); }

}  // namespace effdet
