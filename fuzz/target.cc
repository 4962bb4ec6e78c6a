// How a target's reader may end.
#include "target.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "effdet/error.h"

namespace effdet::fuzz {

void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::abort();
}

bool read(const std::function<void()>& reader) {
  try {
    reader();
    return true;
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.empty() || message.find('\n') != message.npos)
      finding("a message that is not one line: " + std::string(message));
    if (error.code() == ErrorCode::kInternal) finding("an internal error: " + std::string(message));
    return false;
  }
}

}  // namespace effdet::fuzz
