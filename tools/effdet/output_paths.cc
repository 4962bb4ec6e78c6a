// Checks that outputs can be written, and how large they came out.
#include "output_paths.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "cli.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

/// Without links and dots, and without a slash at its end.
std::filesystem::path whole(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(absolute, error);
  const std::filesystem::path& known = error ? absolute : canonical;  // there may be no permission to look into folders
  return known.has_filename() ? known : known.parent_path();
}

[[noreturn]] void refuse(const std::string& flag, const std::string& output, const std::string& other_flag) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {} is the file of {} too, and would be lost; give another name", flag,
                                             output, other_flag));
}

/// What standard output was before what the command prints left it.
std::string kept_stdout;

}  // namespace

void prepare_output(std::string& path) {
  if (path == "-") throw Error(ErrorCode::kUsage, kNoStream);
  if (path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1") {
    flush_stdout();
    const int kept = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (kept >= 0 && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) path = kept_stdout = fmt::format("/dev/fd/{}", kept);
  }
  check_output(path);
}

std::string shown_output(const std::string& path) {
  return !path.empty() && path == kept_stdout ? "/dev/stdout" : path;
}

void refuse_same_file(const std::string& flag, const std::string& output, const std::string& other_flag,
                      const std::string& file) {
  if (output.empty() || file.empty() || is_special_output(output)) return;
  if (whole(output) == whole(file)) refuse(flag, output, other_flag);
}

void refuse_one_of(const std::string& flag, const std::string& output, const std::string& other_flag,
                   const std::vector<std::filesystem::path>& files) {
  std::error_code error;
  if (output.empty() || is_special_output(output) || !std::filesystem::exists(output, error)) return;
  for (const std::filesystem::path& file : files)
    if (std::filesystem::equivalent(output, file, error)) refuse(flag, output, other_flag);
}

void refuse_file_below(const std::string& flag, const std::string& folder, const std::string& other_flag,
                       const std::string& file) {
  if (folder.empty() || file.empty()) return;
  const std::filesystem::path above = whole(folder), below = whole(file);
  if (std::ranges::mismatch(above, below).in1 == above.end())
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: {} has the file of {}, {}, which would be lost; give another folder", flag, folder,
                            other_flag, file));
}

bool is_special_output(const std::string& path) {
  std::error_code error;
  return path.starts_with("/dev/") || path.starts_with("/proc/self/fd/") ||
         (std::filesystem::is_other(path, error) && !error);
}

std::optional<uint64_t> written_bytes(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  const uintmax_t bytes = is_file ? std::filesystem::file_size(path, error) : 0;
  return is_file && !error ? std::optional<uint64_t>(bytes) : std::nullopt;
}

std::string written_text(const std::filesystem::path& path) {
  const auto bytes = written_bytes(path);
  return bytes ? bytes_text(*bytes) : "size unknown";
}

}  // namespace effdet::cli
