// The name of a file in the errors of those who work on what it holds, and know nothing of files.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "effdet/error.h"

namespace effdet::inline base {

/// Whether a message begins with a path, which a colon or the rest of a path follows: what only begins with the same
/// letters ("a map ..." for the folder "a") does not name the file.
inline bool is_about(std::string_view message, std::string_view path) {
  if (path.empty() || !message.starts_with(path)) return false;
  return path.ends_with('/') || message.substr(path.size()).starts_with(':') ||
         message.substr(path.size()).starts_with('/');
}

/// Calls f; the message of an error in what the file `source` ("" for none) holds names the file, where it does not
/// yet. Messages about one of `others`, files and folders that f reads besides, stay as they are.
template <typename F>
auto name_source(const std::string& source, F&& f, std::span<const std::filesystem::path> others = {}) {
  try {
    return f();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    const bool of_content = error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported ||
                            error.code() == ErrorCode::kOutOfMemory;
    bool is_named = source.empty() || is_about(message, source);
    for (const auto& other : others) is_named = is_named || is_about(message, other.native());
    if (is_named || !of_content) throw;
    throw Error(error.code(), source + ": " + std::string(message));
  }
}

/// Calls f, which runs a network on what `name` stands for; whatever the error of a device is, it begins with that: of
/// which image it was tells where to look.
template <typename F>
auto name_run(const std::string& name, F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw Error(error.code(), name + ": " + error.what());
  }
}

}  // namespace effdet::inline base
