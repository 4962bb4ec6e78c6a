// Writing, checking and recognising output files, by the functions of file.h.
#include "effdet/output_file.h"

#include "base/file.h"
#include "base/temporary_file.h"

namespace effdet {

void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  write_file(path, bytes, /*sync=*/false);
}

void write_output(const std::filesystem::path& path, std::string_view text) { write_file(path, text, /*sync=*/false); }

void check_output(const std::filesystem::path& path) { check_output_path(path); }

bool is_unfinished_output(std::string_view path) { return is_temporary_name(path); }

void make_output_folder(const std::filesystem::path& path) { make_folder(path); }

}  // namespace effdet
