#include "output_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int code) {
  throw Error(ErrorCode::kIo, fmt::format("{}: cannot write: {}", path.string(), std::strerror(code)));
}

/// What close() would report, such as a network folder's quota, while the file stays open.
bool close_duplicate(int descriptor) {
  const int duplicate = ::dup(descriptor);
  return duplicate >= 0 && ::close(duplicate) == 0;
}

}  // namespace

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Error(ErrorCode::kIo, fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));
}

void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  static std::atomic<unsigned> count{0};
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path.string(), ::getpid(), count++);
  std::FILE* file = std::fopen(temporary.c_str(), "wbxe");
  if (file == nullptr) fail(path, errno);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0 &&
                       close_duplicate(::fileno(file));
  // Renamed while it is open: watch_signals() looks for files that are not finished among the open ones.
  const bool renamed = written && std::rename(temporary.c_str(), path.c_str()) == 0;
  const int code = errno;
  std::fclose(file);
  if (renamed) return;
  std::remove(temporary.c_str());
  fail(path, code);
}

void write_output(const std::filesystem::path& path, std::string_view text) {
  write_output(path, std::as_bytes(std::span(text)));
}

}  // namespace effdet::cli
