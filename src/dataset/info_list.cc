// The lists of inputs that the benchmark reads: "index path width height" a line.
#include <algorithm>
#include <charconv>
#include <limits>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "dataset/failures.h"
#include "effdet/dataset.h"
#include "eval/coco_json.h"
#include "vision/decode.h"

namespace effdet {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = uint64_t{1} << 30;
constexpr std::string_view kBlanks = " \t";

/// The folder's regular files whose extension is one of those given, sorted by name, without hidden ones (macOS leaves
/// ._name beside files on foreign disks). Throws Error(kIo), and Error(kBadInput) where there are none.
std::vector<fs::path> files_with(const fs::path& folder, std::initializer_list<std::string_view> extensions) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  std::vector<fs::path> files;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string extension = lower_extension(entries->path());
    if (std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) continue;
    if (entries->path().filename().native().starts_with('.')) continue;
    if (entries->is_regular_file(error)) files.push_back(entries->path().filename());
  }
  if (error) fail(ErrorCode::kIo, "{}: cannot read the folder: {}", folder.string(), error.message());
  if (files.empty()) bad_input("{}: no {} files in the folder", folder.string(), fmt::join(extensions, " or "));
  std::sort(files.begin(), files.end());
  return files;
}

/// size_of(path) gives each file's size, or throws: such files are left out. Returns how many are listed.
template <typename SizeOf>
size_t write_list(const fs::path& folder, const std::vector<fs::path>& files, const fs::path& list, SizeOf size_of,
                  const OnFailure& on_failure = {}) {
  std::string text;
  size_t count = 0;
  dataset::FailureLog log(on_failure, files.size());
  for (const fs::path& file : files) {
    const std::string path = (folder / file).string();
    if (path.find_first_of("\r\n") != std::string::npos)
      bad_input("{}: a list cannot hold a file name with a line break", eval::printable(path));
    vision::ImageSize size;
    if (log.attempt([&] { size = size_of(path); }))
      text += fmt::format("{} {} {} {}\n", count++, path, size.width, size.height);
  }
  log.require_some();
  write_file(list, text);
  return count;
}

/// A line of the list while it is taken apart.
class LineParser {
 public:
  LineParser(std::string_view line, const std::string& list, size_t number)
      : rest_(trimmed(line)), list_(list), number_(number) {}

  InfoEntry parse() {
    InfoEntry entry;
    entry.index = number(take_first(), "index", 0, std::numeric_limits<int64_t>::max());
    // From the end, since the path may hold blanks.
    entry.height = static_cast<int>(number(take_last(), "height", 1, std::numeric_limits<int>::max()));
    entry.width = static_cast<int>(number(take_last(), "width", 1, std::numeric_limits<int>::max()));
    entry.path = rest_;
    if (entry.path.empty()) error("has fewer than four columns; 'index path width height' is expected");
    if (entry.path.find('\0') != std::string::npos) error("holds a NUL byte");
    return entry;
  }

  [[noreturn]] void error(std::string_view what) const { bad_input("{}: line {} {}", list_, number_, what); }

 private:
  static std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  }

  std::string_view take_first() {
    const size_t end = std::min(rest_.find_first_of(kBlanks), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    rest_ = trimmed(rest_.substr(end));
    return field;
  }

  std::string_view take_last() {
    const size_t blank = rest_.find_last_of(kBlanks);
    const size_t begin = blank == std::string_view::npos ? 0 : blank + 1;
    const std::string_view field = rest_.substr(begin);
    rest_ = trimmed(rest_.substr(0, begin));
    return field;
  }

  int64_t number(std::string_view field, std::string_view what, int64_t low, int64_t high) const {
    if (field.empty()) error("has fewer than four columns; 'index path width height' is expected");
    int64_t value = 0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size() || value < low || value > high)
      error(fmt::format("has '{}' as {}, not a whole number of at least {}", eval::printable(field), what, low));
    return value;
  }

  std::string_view rest_;
  const std::string& list_;
  size_t number_;
};

}  // namespace

size_t write_bin_info(const fs::path& folder, const fs::path& list, int width, int height) {
  if (width < 1 || height < 1) fail(ErrorCode::kUsage, "{} x {} is no image size", width, height);
  return write_list(folder, files_with(folder, {".bin"}), list, [&](const std::string&) {
    return vision::ImageSize{width, height};
  });
}

size_t write_image_info(const fs::path& folder, const fs::path& list, const OnFailure& on_failure) {
  const auto size_of = [](const std::string& path) { return vision::read_image_size(fs::path(path)); };
  return write_list(folder, files_with(folder, {".jpg", ".jpeg"}), list, size_of, on_failure);
}

std::vector<InfoEntry> read_info(const fs::path& list) {
  const std::string name = list.string(), text = read_file(list, kMaxListBytes);
  std::vector<InfoEntry> entries;
  std::unordered_map<int64_t, size_t> lines;  // by index
  size_t line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    LineParser parser(line, name, line_number);
    InfoEntry entry = parser.parse();
    const auto [first, is_new] = lines.emplace(entry.index, line_number);
    if (!is_new) parser.error(fmt::format("repeats index {} of line {}", entry.index, first->second));
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) bad_input("{}: the list is empty; get_info makes one", name);
  return entries;
}

}  // namespace effdet
