// How a target's reader may end.
#include "target.h"

#include <algorithm>
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

std::pair<std::string_view, std::string_view> halves_of(Bytes input) {
  constexpr std::string_view kBorder = "---\n";
  const std::string_view text = text_of(input);
  const size_t border = std::min(text.find(kBorder), text.size());
  return {text.substr(0, border), text.substr(std::min(border + kBorder.size(), text.size()))};
}

}  // namespace effdet::fuzz
