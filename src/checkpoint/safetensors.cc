// Checks that a safetensors file's tensors fill its data without gaps, and loads them.
#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "checkpoint/little_endian.h"
#include "checkpoint/load_tensors.h"
#include "checkpoint/quoted.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/state_dict.h"

namespace effdet::checkpoint {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // the format's own limit

/// The JSON text. Throws Error(kBadInput).
std::string_view header_of(const MappedFile& file) {
  const std::string_view content(reinterpret_cast<const char*>(file.bytes().data()), file.size());
  if (content.size() < sizeof(uint64_t))
    bad_input("{}: a safetensors file begins with 8 bytes, but this one has {}: it is cut off", file.path(),
              content.size());
  const auto length = load_le<uint64_t>(content.data());
  if (length > kLongestHeader)
    bad_input("{}: the safetensors header at byte 0 has a length of {}; {} is the most", file.path(), length,
              kLongestHeader);
  if (length > content.size() - sizeof(uint64_t))
    bad_input("{}: the safetensors header at byte 0 has a length of {}, but only {} bytes follow: it is cut off",
              file.path(), length, content.size() - sizeof(uint64_t));
  if (length < 2 || content[sizeof(uint64_t)] != '{')
    bad_input("{}: the safetensors header at byte 8 does not begin with '{{'", file.path());
  return content.substr(sizeof(uint64_t), length);
}

using EntryOrder = std::vector<const SafetensorsEntry*>;

/// Every byte belongs to one tensor. Sorts entries by place.
void check_layout(EntryOrder& entries, uint64_t data_size, const std::string& path) {
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  uint64_t end = 0;
  for (const SafetensorsEntry* entry : entries) {
    if (entry->begin != end)
      bad_input("{}: safetensors header at byte {}: tensor {} begins at {} of the data, where {} is next: {}", path,
                entry->offset, quote_text(entry->name), entry->begin, end,
                entry->begin < end ? "it overlaps another" : "there is a hole");
    end = entry->end;
    if (end > data_size)
      bad_input(
          "{}: safetensors header at byte {}: tensor {} ends at {} of the data, but only {} bytes are there: the "
          "file is cut off",
          path, entry->offset, quote_text(entry->name), end, data_size);
  }
  if (end != data_size)
    bad_input("{}: {} bytes follow the last tensor, which ends at {} of the data", path, data_size - end, end);
}

void check_unique(EntryOrder& entries, const std::string& path) {
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  const auto twice = std::adjacent_find(entries.begin(), entries.end(),
                                        [](const auto* a, const auto* b) { return a->name == b->name; });
  if (twice != entries.end())
    bad_input("{}: safetensors header at byte {}: tensor {} is there twice", path, twice[1]->offset,
              quote_text(twice[1]->name));
}

void check_entries(const std::deque<SafetensorsEntry>& entries, const MappedFile& file, uint64_t data_offset,
                   Budget& budget) {
  const uint64_t cost = entries.size() * sizeof(EntryOrder::value_type);
  budget.charge(cost);
  EntryOrder order;
  order.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  check_unique(order, file.path());
  check_layout(order, file.size() - data_offset, file.path());
  budget.release(cost);
}

Tensor load(const SafetensorsEntry& entry, const MappedFile& file, uint64_t data_offset, Budget& budget) {
  const std::byte* bytes = file.bytes().data() + data_offset + entry.begin;
  if (is_aligned(bytes, entry.dtype)) return Tensor(entry.dtype, entry.shape, {file.owner(), bytes});
  budget.charge(entry.end - entry.begin);
  Tensor tensor(entry.dtype, entry.shape);
  std::memcpy(tensor.mutable_bytes().data(), bytes, tensor.byte_size());
  return tensor;
}

}  // namespace

Checkpoint read_safetensors(MappedFile file, const ReadOptions& options, Budget& budget) {
  const std::string_view header = header_of(file);
  const uint64_t data_offset = sizeof(uint64_t) + header.size();
  SafetensorsHeader parsed = parse_safetensors_header(header, sizeof(uint64_t), file.path(), budget);
  const auto& entries = parsed.entries;
  if (entries.empty()) bad_input("{}: the safetensors header at byte 8 has no tensors", file.path());

  check_entries(entries, file, data_offset, budget);

  budget.charge(entries.size() * (sizeof(StateDictEntry) + sizeof(NamedTensor)));
  std::vector<StateDictEntry> names;
  names.reserve(entries.size());
  for (uint32_t i = 0; i < entries.size(); ++i) names.push_back({entries[i].name, i, entries[i].foreign});
  if (!options.keep_names) unwrap_names(names, options.use_ema);
  Checkpoint checkpoint{file.path(), "", {}};
  checkpoint.has_checksums = false;
  checkpoint.hints = std::move(parsed.hints);
  checkpoint.foreign = take_foreign(
      names, [&](uint32_t index) { return safetensors_type(entries[index]); }, file.path());
  checkpoint.tensors.reserve(names.size());
  for (const StateDictEntry& name : names) {
    const SafetensorsEntry& entry = entries[name.tensor];
    budget.charge(tensor_cost(entry.shape.size(), name.name));
    checkpoint.tensors.push_back({std::string(name.name), load(entry, file, data_offset, budget)});
  }
  return checkpoint;
}

}  // namespace effdet::checkpoint
