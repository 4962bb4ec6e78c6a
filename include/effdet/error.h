// The one exception type that the library throws, with codes that the commands use as exit codes.
#pragma once

#include <stdexcept>
#include <string>

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

/// Thrown by every function of the library that fails. what() is one line that names file, field and offset, if they
/// are known, and the next step for the user, if that is clear.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace effdet
