// The one exception type that the library throws, with codes that the commands use as exit codes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace effdet {

/// Category of an error. The values are the exit codes of the commands (docs/exit-codes.md).
enum class ErrorCode {
  kUsage = 2,        ///< a flag or an argument is invalid
  kBadInput = 3,     ///< a file's content is malformed, truncated, hostile or contradicts another file
  kIo = 4,           ///< the operating system refused: missing file, no permission, no space
  kUnsupported = 5,  ///< well-formed, but not supported by this version
  kMismatch = 6,     ///< a comparison or an equivalence check failed
  kOutOfMemory = 7,  ///< memory ran out
  kInternal = 70,    ///< a bug in effdet
};

/// A text whose parts may come from a file, as one line: control characters become "\x0a".
inline std::string one_line(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line;
  line.reserve(text.size());
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f)
      line.append("\\x").append(1, kDigits[code >> 4]).append(1, kDigits[code & 15]);
    else
      line += c;
  }
  return line;
}

/// Thrown by every function of the library that fails. what() is one line that names file, field and offset, if they
/// are known, and the next step for the user, if that is clear; names out of files are in it as one_line() has them.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(one_line(message)), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace effdet
