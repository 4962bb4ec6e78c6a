// Class names from a text file.
#include "base/error.h"
#include "effdet/checkpoint.h"
#include "effdet/text_file.h"

namespace effdet {

std::vector<std::string> read_class_names(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  std::vector<std::string> names;
  size_t line = 1;
  // What some editors begin a text of UTF-8 with is no part of a name.
  for (size_t begin = text.starts_with("\xef\xbb\xbf") ? 3 : 0; begin < text.size(); ++line) {
    size_t end = std::min(text.find('\n', begin), text.size());
    const size_t next = end + 1;
    if (end > begin && text[end - 1] == '\r') --end;
    if (end == begin) bad_input("{}: line {} is empty; one class name a line is expected", path.string(), line);
    for (size_t i = begin; i < end; ++i)
      if (static_cast<unsigned char>(text[i]) < 32)
        bad_input("{}: line {} holds a control character at offset {}", path.string(), line, i);
    names.push_back(text.substr(begin, end - begin));
    begin = next;
  }
  if (names.empty()) bad_input("{}: no class names", path.string());
  return names;
}

}  // namespace effdet
