// The name of a file in the errors of those who work on what it holds, and know nothing of files.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "effdet/error.h"

namespace effdet::inline base {

/// Calls f; the message of an error in what the file `source` ("" for none) holds names the file, where it does not
/// yet. Messages that begin with one of `others`, files that f reads besides, are of these and stay as they are.
template <typename F>
auto name_source(const std::string& source, F&& f, std::span<const std::filesystem::path> others = {}) {
  try {
    return f();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    const bool of_content = error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported ||
                            error.code() == ErrorCode::kOutOfMemory;
    bool is_named = source.empty() || message.starts_with(source);
    for (const auto& other : others) is_named = is_named || (!other.empty() && message.starts_with(other.native()));
    if (is_named || !of_content) throw;
    throw Error(error.code(), source + ": " + std::string(message));
  }
}

}  // namespace effdet::inline base
