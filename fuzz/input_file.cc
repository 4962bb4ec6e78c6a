// A folder of /dev/shm, where the system has it.
#include "input_file.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace effdet::fuzz {
namespace {

struct WorkFolder {
  std::filesystem::path path;

  WorkFolder() {
    const bool has_memory = ::access("/dev/shm", W_OK) == 0;
    std::string name = has_memory ? "/dev/shm/effdet_fuzz_XXXXXX"
                                  : (std::filesystem::temp_directory_path() / "effdet_fuzz_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

const std::filesystem::path& work_folder() {
  static const WorkFolder folder;
  return folder.path;
}

std::filesystem::path write_input(const std::filesystem::path& name, std::string_view content) {
  const std::filesystem::path path = work_folder() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  return path;
}

void read_file_of(Bytes input, const std::function<void(const std::filesystem::path& file)>& reader) {
  const std::filesystem::path file = write_input("input", text_of(input));
  read([&] { reader(file); });
}

}  // namespace effdet::fuzz
