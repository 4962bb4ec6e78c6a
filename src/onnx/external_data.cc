// Maps the files that tensors refer to, which must lie below the model's folder.
#include "onnx/external_data.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/error.h"

namespace effdet::onnx {
namespace {

constexpr uint64_t kCopiesBesideFiles = uint64_t{64} << 20;

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

}  // namespace

ExternalData::ExternalData(const std::filesystem::path& model)
    : folder_(model.has_parent_path() ? model.parent_path() : std::filesystem::path(".")) {}

const MappedFile& ExternalData::open(const std::string& location, const std::string& where) const {
  auto& file = files_[location];
  if (!file) file = std::make_unique<MappedFile>(open_below(folder_, location, where + ": external data"));
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
    std::memcpy(copy.mutable_bytes().data(), bytes, size);
    return copy;
  }
  return Tensor(dtype, shape, {file.owner(), bytes});
}

void ExternalData::count_copy(uint64_t bytes, const std::string& where) const {
  copied_ += bytes;
  uint64_t most = kCopiesBesideFiles;
  for (const auto& [location, file] : files_) most += file->size();
  if (copied_ > most)
    bad_input("{}: tensors of graphs inside nodes name the same external data again and again, {} bytes so far", where,
              copied_);
}

}  // namespace effdet::onnx
