// Files that commands write: looked at before the work begins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace effdet::cli {

/// Why a file or a folder may not be called "-".
constexpr const char* kNoStream =
    "'-' stands for no stream here: give /dev/stdout or /dev/stdin, or ./- for a file of that name";

/// Makes sure, before long work, that a file can be written. Where it is standard output (/dev/stdout), the path
/// becomes another name of it, and from now on what the command prints goes to standard error: the file comes out
/// alone. Throws Error(kIo).
void prepare_output(std::string& path);

/// The name of an output as people know it: "/dev/stdout" for what prepare_output() made of that.
std::string shown_output(const std::string& path);

/// Throws Error(kUsage), which names both flags, where a file that is to be written is that of another flag, too: one
/// of the two would be lost. Any number of outputs may go to one device or pipe.
void refuse_same_file(const std::string& flag, const std::string& output, const std::string& other_flag,
                      const std::string& file);

/// The same where the other flag's files were found in folders and lists: any of these.
void refuse_one_of(const std::string& flag, const std::string& output, const std::string& other_flag,
                   const std::vector<std::filesystem::path>& files);

/// The same for a folder whose files are replaced, and a file in it.
void refuse_file_below(const std::string& flag, const std::string& folder, const std::string& other_flag,
                       const std::string& file);

/// Whether a path stands for a device, a pipe or an open file, to whose name no extension may be added.
bool is_special_output(const std::string& path);

/// Of a file that was written; nothing for a pipe, a device and their like.
std::optional<uint64_t> written_bytes(const std::filesystem::path& path);

/// "1.5 MiB", or "size unknown".
std::string written_text(const std::filesystem::path& path);

}  // namespace effdet::cli
