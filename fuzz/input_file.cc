// Files in memory: Linux' memfd for one, a folder of /dev/shm for several.
#include "input_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace effdet::fuzz {
namespace {

void write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written <= 0) std::abort();
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

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

InputFile::InputFile(Bytes input) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
  if (descriptor_ < 0) std::abort();
  write_all(descriptor_, input);
}

InputFile::~InputFile() { ::close(descriptor_); }

std::filesystem::path InputFile::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

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

}  // namespace effdet::fuzz
