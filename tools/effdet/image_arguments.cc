// Expands what is given to files, reads lists of them, and names the pictures.
#include "image_arguments.h"

#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "brace_list.h"
#include "cli.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "input_paths.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// A pattern that the shell did not expand.
std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

/// What some editors begin a text of UTF-8 with.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// A line of a list is a name as it is; one that is not there may have braces, as shards of tar files are named.
std::vector<std::string> line_of_list(const std::string& line) {
  if (line.find('{') == std::string::npos || is_there(line)) return {line};
  return brace_expansion(line);
}

bool is_url(const std::string& argument) { return argument.starts_with("http://") || argument.starts_with("https://"); }

void add_files_of(const fs::path& folder, bool recursive, std::vector<std::string>& paths) {
  for (const fs::path& file : files_of(folder, is_image_name)) paths.push_back(file.string());
  if (!recursive) return;
  for (const fs::path& entry : entries_of(folder))
    if (is_folder(entry) && !fs::is_symlink(entry)) add_files_of(entry, recursive, paths);
}

std::vector<std::string> expanded(const std::string& argument, bool recursive) {
  if (is_url(argument) || argument == "-") return {argument};
  if (is_folder(argument)) {
    std::vector<std::string> paths;
    add_files_of(argument, recursive, paths);
    if (paths.empty())
      throw Error(ErrorCode::kUsage, fmt::format("{}: no pictures in this folder ({})", argument, image_extensions()));
    return paths;
  }
  if (is_there(argument)) return {argument};
  if (const std::vector<std::string> names = brace_expansion(argument); names.size() > 1) {
    std::vector<std::string> paths;
    for (const std::string& name : names) std::ranges::move(expanded(name, recursive), std::back_inserter(paths));
    return paths;
  }
  if (argument.find_first_of("*?[") == std::string::npos) return {argument};
  std::vector<std::string> paths = matches(argument);
  if (paths.empty()) throw Error(ErrorCode::kUsage, fmt::format("{}: no file matches", argument));
  return paths;
}

/// Throws Error(kUsage) at a terminal, Error(kIo), Error(kBadInput) for more than a picture has.
std::shared_ptr<const std::vector<std::byte>> all_of_standard_input() {
  constexpr size_t kMost = size_t{1} << 31, kPart = size_t{1} << 20;
  if (::isatty(STDIN_FILENO) == 1) throw Error(ErrorCode::kUsage, "-: standard input is a terminal, and no picture");
  auto content = std::make_shared<std::vector<std::byte>>();
  for (size_t got = 1; got > 0;) {
    const size_t size = content->size();
    if (size > kMost) throw Error(ErrorCode::kBadInput, "standard input: more than 2 GiB");
    content->resize(size + kPart);
    got = std::fread(content->data() + size, 1, kPart, stdin);
    content->resize(size + got);
  }
  if (std::ferror(stdin) != 0)
    throw Error(ErrorCode::kIo, fmt::format("standard input: cannot read: {}", std::strerror(errno)));
  return content;
}

void add(const std::string& file, std::vector<ListedImage>& images) {
  if (file == "-") {
    images.push_back({"standard input", "", "", 0, 0, all_of_standard_input()});
  } else if (is_tar(file) && !is_url(file)) {
    std::ranges::move(images_of_tar(file, warn), std::back_inserter(images));
  } else {
    images.push_back({file, ""});
  }
}

[[noreturn]] void refuse(const std::string& list) {
  throw Error(ErrorCode::kIo, fmt::format("{}: cannot read the list: {}", list, std::strerror(errno)));
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_list(const std::string& list, const std::string& name) {
  if (list == "-") return {stdin, [](std::FILE*) { return 0; }};
  File file(std::fopen(list.c_str(), "re"), std::fclose);
  if (!file) refuse(name);
  return file;
}

/// The lines of a file, without their ends.
class Lines {
 public:
  explicit Lines(std::FILE* file) : file_(file) {}
  ~Lines() { std::free(buffer_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// Nothing at the end, and after an error, which the file has.
  std::optional<std::string_view> next() {
    const ssize_t bytes = ::getline(&buffer_, &capacity_, file_);
    if (bytes < 0) return std::nullopt;
    std::string_view line(buffer_, static_cast<size_t>(bytes));
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

 private:
  std::FILE* file_;
  char* buffer_ = nullptr;
  size_t capacity_ = 0;
};

constexpr std::string_view kPictureExtension = ".jpg";

/// The beginning of a text, without a part of a character of UTF-8 at its end.
std::string_view beginning(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

/// The end of a stem goes where the name would be longer than file systems take; the number tells such names apart.
std::string picture_name(std::string_view stem, std::string_view number) {
  constexpr size_t kLongestFileName = 255;
  return fmt::format("{}{}{}", beginning(stem, kLongestFileName - number.size() - kPictureExtension.size()), number,
                     kPictureExtension);
}

}  // namespace

std::string list_help() {
  return "also the images and tar files whose paths a text file has, one a line, seen from the current folder, also "
         "with braces; -: standard input";
}

bool names_files(const std::string& argument) {
  if (is_folder(argument)) return false;
  return is_there(argument) || is_tar(argument) || is_image_name(argument) || brace_expansion(argument).size() > 1 ||
         argument.find_first_of("*?[") != std::string::npos;
}

bool is_tar(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".tar" || extension == ".tgz" || (!is_image_name(path) && extension_of(path.stem()) == ".tar");
}

std::vector<ListedImage> listed_images(const std::vector<std::string>& arguments, const std::vector<std::string>& lists,
                                       bool recursive) {
  if (std::ranges::count(arguments, "-") + std::ranges::count(lists, "-") > 1)
    throw Error(ErrorCode::kUsage, "-: standard input can be read once");
  std::vector<ListedImage> images;
  for (const std::string& argument : arguments)
    for (const std::string& file : expanded(argument, recursive)) add(file, images);
  for (const std::string& list : lists)
    for (const std::string& line : read_list(list))
      for (const std::string& file : line_of_list(line)) add(file, images);
  return images;
}

std::vector<std::string> read_list(const std::string& list) {
  const std::string name = list == "-" ? "standard input" : list;
  const File file = open_list(list, name);
  std::vector<std::string> paths;
  Lines lines(file.get());
  for (size_t number = 1; auto line = lines.next(); ++number) {
    if (number == 1 && line->starts_with(kByteOrderMark)) line->remove_prefix(kByteOrderMark.size());
    if (line->find('\0') != std::string::npos)
      throw Error(ErrorCode::kBadInput, fmt::format("{}: line {}: a path with a NUL byte: a list is a text file with "
                                                    "one path a line",
                                                    name, number));
    if (!line->empty()) paths.emplace_back(*line);
  }
  if (std::ferror(file.get()) != 0) refuse(name);
  if (paths.empty()) throw Error(ErrorCode::kUsage, fmt::format("{}: no paths in this list", name));
  return paths;
}

void name_pictures(std::vector<ListedImage>& images, const fs::path& folder) {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, size_t> numbers;  // of the last picture after images of that name
  for (ListedImage& image : images) {
    std::string stem = fs::path(image.name()).stem().string();
    if (const size_t query = stem.find_first_of("?#"); is_url(image.file)) stem = stem.substr(0, query);
    if (stem.empty()) stem = "image";
    image.picture = picture_name(stem, "");
    for (size_t& number = numbers.try_emplace(image.picture, 1).first->second; !taken.insert(image.picture).second;)
      image.picture = picture_name(stem, fmt::format("_{}", ++number));
  }
  if (folder.empty()) return;  // nothing is drawn
  for (const ListedImage& image : images) {
    if (!image.member.empty() || image.content) continue;
    const fs::path name = fs::path(image.file).filename();
    std::error_code ignored;
    if (taken.contains(name.string()) && fs::equivalent(image.file, folder / name, ignored))
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} would be overwritten; give another folder with --out", image.file));
  }
}

}  // namespace effdet::cli
