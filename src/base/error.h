// Short ways to throw effdet::Error with a formatted message.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "effdet/error.h"

namespace effdet::inline base {

/// Throws Error(code, formatted message).
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error(kBadInput, ...): the content of a file is wrong.
template <typename... Args>
[[noreturn]] void bad_input(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorCode::kBadInput, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace effdet::inline base
