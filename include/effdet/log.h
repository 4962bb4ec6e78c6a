// What the library has to say besides results and errors, for a program's own log.
#pragma once

#include <functional>
#include <string_view>

#include "effdet/export.h"

namespace effdet {

enum class LogLevel {
  kDebug,    ///< what happens inside: libraries that are loaded, threads and memory of a session
  kInfo,     ///< what was opened
  kWarning,  ///< what the user should read: assumptions, pictures left out, outputs that are NaN
};

/// Called with one line without an end of line, by any thread, one or more at a time. What it throws is lost. What the
/// library says while it is in the handler is not handed on.
using LogHandler = std::function<void(LogLevel level, std::string_view text)>;

/// Takes the place of the process's handler before; an empty one ends the log. Nothing calls the former one when this
/// returns. Functions of the library that have a callback of their own for notes call that, too. Throws Error(kUsage)
/// when it is called from within the handler.
EFFDET_API void set_log_handler(LogHandler handler);

}  // namespace effdet
