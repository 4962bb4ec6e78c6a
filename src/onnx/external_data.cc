#include "onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/descriptor.h"
#include "base/error.h"

namespace effdet::onnx_io {
namespace {

/// The key-value pairs of a tensor's external_data.
struct Reference {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t parse_number(const std::string& text, const std::string& key, const std::string& where) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    bad_input("{}: external_data {} is '{}', not a number", where, key, text);
  return number;
}

Reference parse(const pb::TensorProto& proto, const std::string& where) {
  std::map<std::string, std::string> entries;
  for (const auto& entry : proto.external_data()) {
    const std::string& key = entry.key();
    if (key != "location" && key != "offset" && key != "length" && key != "checksum")
      bad_input("{}: unknown external_data key '{}'", where, key);
    if (!entries.emplace(key, entry.value()).second) bad_input("{}: external_data key '{}' appears twice", where, key);
  }
  Reference reference{entries["location"]};
  if (entries.contains("offset")) reference.offset = parse_number(entries["offset"], "offset", where);
  if (entries.contains("length")) reference.length = parse_number(entries["length"], "length", where);
  return reference;
}

/// A path as its parts; kBadInput for anything that could lead out of the folder.
std::vector<std::string> safe_parts(const std::string& location, const std::string& where) {
  if (location.empty()) bad_input("{}: external_data has no location", where);
  if (location.find('\0') != std::string::npos) bad_input("{}: the location of external data holds a NUL", where);
  if (location.front() == '/') bad_input("{}: external data at the absolute path '{}' is refused", where, location);
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    const std::string part = location.substr(begin, end - begin);
    if (part == "..") bad_input("{}: external data at '{}' lies outside of the model's folder", where, location);
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  if (parts.empty()) bad_input("{}: external data at '{}' is a folder", where, location);
  return parts;
}

[[noreturn]] void fail_open(const std::string& location, const std::string& where) {
  const int code = errno;
  if (code == ELOOP || code == ENOTDIR)
    bad_input("{}: external data at '{}' is refused: a part of the path is a link or no folder", where, location);
  bad_input("{}: cannot open external data at '{}': {}", where, location, std::strerror(code));
}

/// Opens the file part by part: checking a whole path first and opening it later could be raced.
std::unique_ptr<MappedFile> open_below(const std::filesystem::path& folder, const std::string& location,
                                       const std::string& where) {
  const std::vector<std::string> parts = safe_parts(location, where);
  auto current = std::make_unique<Descriptor>(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (current->get() < 0) fail_open(location, where);
    const bool last = i + 1 == parts.size();
    const int flags = O_NOFOLLOW | O_CLOEXEC | (last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY);
    current = std::make_unique<Descriptor>(::openat(current->get(), parts[i].c_str(), flags));
  }
  if (current->get() < 0) fail_open(location, where);
  struct stat info {};
  if (::fstat(current->get(), &info) != 0) fail_open(location, where);
  if (!S_ISREG(info.st_mode)) bad_input("{}: external data at '{}' is no regular file", where, location);
  if (info.st_nlink > 1)
    bad_input("{}: external data at '{}' is refused: it is a hard link; copy the file instead", where, location);
  return std::make_unique<MappedFile>(fmt::format("/proc/self/fd/{}", current->get()));
}

}  // namespace

ExternalData::ExternalData(const std::filesystem::path& model)
    : folder_(model.has_parent_path() ? model.parent_path() : std::filesystem::path(".")) {}

const MappedFile& ExternalData::open(const std::string& location, const std::string& where) const {
  auto& file = files_[location];
  if (!file) file = open_below(folder_, location, where);
  return *file;
}

Tensor ExternalData::read(const pb::TensorProto& proto, DType dtype, const Shape& shape,
                          const std::string& where) const {
  const Reference reference = parse(proto, where);
  const MappedFile& file = open(reference.location, where);
  const uint64_t size = *checked_numel(shape) * dtype_size(dtype);  // does not wrap: the caller checked
  if (reference.length && *reference.length != size)
    bad_input("{}: external_data has length {}, its type and shape need {}", where, *reference.length, size);
  if (!fits(reference.offset, size, file.size()))
    bad_input("{}: {} bytes at offset {} of external data '{}' lie past its end at {}", where, size, reference.offset,
              reference.location, file.size());
  const std::byte* bytes = file.bytes().data() + reference.offset;
  if (reference.offset % dtype_size(dtype) != 0) {
    Tensor copy(dtype, shape);
    std::memcpy(const_cast<std::byte*>(copy.bytes().data()), bytes, size);
    return copy;
  }
  return Tensor(dtype, shape, {file.owner(), bytes});
}

}  // namespace effdet::onnx_io
