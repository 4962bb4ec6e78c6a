// What is told to the program's log (effdet/log.h).
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "effdet/log.h"

namespace effdet::inline base {

/// Whether anybody listens: a line need not be made otherwise.
bool is_logged() noexcept;

/// Hands a line on. Never throws.
void log_line(LogLevel level, std::string_view text) noexcept;

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged()) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace effdet::inline base
