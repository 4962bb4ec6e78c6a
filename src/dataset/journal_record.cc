// Writes and parses the records of a journal.
#include "dataset/journal_record.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/error.h"

namespace effdet::dataset {
namespace {

constexpr size_t kLengths = 2 * sizeof(uint32_t), kHash = sizeof(uint64_t);

/// A length has a check of its own: without it, a damaged length would look like a record that is torn off.
uint32_t check_of(uint32_t length) { return static_cast<uint32_t>(XXH3_64bits(&length, sizeof length)); }

/// Bits of JournalEntry::faults, and what follows.
enum FaultBit : uint8_t { kNanScores = 1, kNotFiniteBox = 2, kOfList = 4, kHasKey = 8 };

/// A list of names that is longer is no model's.
constexpr uint32_t kMostClasses = 1 << 20;
/// So that products with numbers of shards fit.
constexpr uint64_t kMostImages = uint64_t{1} << 40;

class ContentWriter {
 public:
  template <typename Number>
  void put(Number number) {
    static_assert(std::is_arithmetic_v<Number>);
    text_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void put(const std::string& text) {
    put(static_cast<uint32_t>(text.size()));
    text_ += text;
  }

  std::string record() const {
    const auto length = static_cast<uint32_t>(text_.size());
    ContentWriter whole;
    whole.put(length);
    whole.put(check_of(length));
    whole.text_ += text_;
    whole.put(static_cast<uint64_t>(XXH3_64bits(text_.data(), text_.size())));
    return std::move(whole.text_);
  }

 private:
  std::string text_;
};

/// Reads what ContentWriter wrote, and nothing beyond the end.
class ContentReader {
 public:
  ContentReader(std::span<const std::byte> content, const std::string& name, uint64_t offset)
      : rest_(content), name_(name), offset_(offset) {}

  template <typename Number>
  Number get() {
    static_assert(std::is_arithmetic_v<Number>);
    Number number;
    std::memcpy(&number, take(sizeof number).data(), sizeof number);
    return number;
  }
  std::string get_text() {
    const auto bytes = take(get<uint32_t>());
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    require(text.find('\0') == std::string::npos, "text");
    return std::string(text);
  }

  size_t left() const { return rest_.size(); }
  void require(bool condition, std::string_view field) const {
    if (!condition) bad_input("{}: record at offset {}: bad {}; remove the file to begin anew", name_, offset_, field);
  }

 private:
  std::span<const std::byte> take(size_t bytes) {
    require(bytes <= rest_.size(), "length");
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

  std::span<const std::byte> rest_;
  const std::string& name_;
  uint64_t offset_;
};

/// Sides are float32 in the network's results: 28 bytes hold what takes 56 in memory.
constexpr size_t kResultBytes = 5 * sizeof(float) + sizeof(int64_t);
constexpr size_t kDetectionBytes = 5 * sizeof(float) + sizeof(int32_t);

void put_data(ContentWriter& content, const DataSource& data) {
  content.put(data.root.string());
  content.put(data.format);
  content.put(data.split);
  content.put(data.annotations.string());
  content.put(data.images.string());
}

DataSource get_data(ContentReader& reader) {
  DataSource data;
  data.root = reader.get_text();
  data.format = reader.get_text();
  data.split = reader.get_text();
  data.annotations = reader.get_text();
  data.images = reader.get_text();
  return data;
}

void put_found(ContentWriter& content, const DetectedImage& found, uint64_t picture_bytes) {
  content.put(found.image);
  content.put(found.picture);
  content.put(picture_bytes);
  content.put(static_cast<int32_t>(found.width));
  content.put(static_cast<int32_t>(found.height));
  if (!found.key.empty()) content.put(found.key);
  for (const Detection& d : found.detections) {
    for (const float number : {d.x1, d.y1, d.x2, d.y2, d.score}) content.put(number);
    content.put(static_cast<int32_t>(d.category));
  }
}

void get_found(ContentReader& reader, bool has_key, JournalEntry& entry) {
  DetectedImage& found = entry.found.emplace();
  found.image = reader.get_text();
  found.picture = reader.get_text();
  entry.picture_bytes = reader.get<uint64_t>();
  found.width = reader.get<int32_t>();
  found.height = reader.get<int32_t>();
  if (has_key) found.key = reader.get_text();
  reader.require(found.width > 0 && found.height > 0, "size");
  reader.require(reader.left() % kDetectionBytes == 0, "length");
  found.detections.resize(reader.left() / kDetectionBytes);
  for (Detection& d : found.detections) {
    for (float* number : {&d.x1, &d.y1, &d.x2, &d.y2, &d.score}) *number = reader.get<float>();
    d.category = reader.get<int32_t>();
  }
}

void put_results(ContentWriter& content, std::span<const eval::CocoResult> results) {
  for (const eval::CocoResult& result : results) {
    for (const double side : result.bbox) content.put(static_cast<float>(side));
    content.put(static_cast<float>(result.score));
    content.put(result.category_id);
  }
}

void get_results(ContentReader& reader, JournalEntry& entry) {
  reader.require(reader.left() % kResultBytes == 0, "length");
  entry.results.resize(reader.left() / kResultBytes);
  for (eval::CocoResult& result : entry.results) {
    result.image_id = entry.image_id;
    for (double& side : result.bbox) side = reader.get<float>();
    result.score = reader.get<float>();
    result.category_id = reader.get<int64_t>();
  }
}

}  // namespace

std::string record_of(const JournalHeader& header) {
  ContentWriter content;
  content.put(kJournalVersion);
  content.put(header.program);
  content.put(static_cast<uint8_t>(header.kind));
  content.put(header.key.model);
  content.put(header.key.options);
  content.put(header.key.data);
  content.put(static_cast<uint64_t>(header.shard.index));
  content.put(static_cast<uint64_t>(header.shard.count));
  content.put(header.total);
  if (header.kind == RunKind::kDataset) {
    put_data(content, header.data);
  } else {
    content.put(static_cast<uint32_t>(header.class_names.size()));
    for (const std::string& name : header.class_names) content.put(name);
  }
  return content.record();
}

std::string record_of(const JournalEntry& entry) {
  ContentWriter content;
  content.put(entry.image_id);
  content.put(entry.file_bytes);
  content.put(static_cast<uint8_t>(entry.failure ? static_cast<int>(entry.failure->code) : 0));
  if (entry.failure) {
    content.put(entry.failure->message);
    return content.record();
  }
  content.put(static_cast<uint8_t>((entry.faults.nan_scores ? kNanScores : 0) |
                                   (entry.faults.not_finite_box ? kNotFiniteBox : 0) | (entry.found ? kOfList : 0) |
                                   (entry.found && !entry.found->key.empty() ? kHasKey : 0)));
  entry.found ? put_found(content, *entry.found, entry.picture_bytes) : put_results(content, entry.results);
  return content.record();
}

RecordReader::RecordReader(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {
  if (file.size() < kJournalMagic.size() || std::memcmp(file.data(), kJournalMagic.data(), kJournalMagic.size()) != 0)
    bad_input("{}: not a journal of effdet (magic at offset 0); remove it to begin anew, if it is not needed", name);
  offset_ = kJournalMagic.size();
}

RecordReader::RecordReader(std::span<const std::byte> file, const std::string& name, uint64_t offset)
    : RecordReader(file, name) {
  if (offset > file.size()) damaged();  // it became shorter
  if (offset > 0) offset_ = offset;
}

void RecordReader::damaged() const {
  bad_input("{}: the record at offset {} is damaged; remove the file to begin anew", name_, offset_);
}

std::optional<std::span<const std::byte>> RecordReader::next() {
  const auto rest = file_.subspan(offset_);
  // A file system that lost power may have made the file longer before it wrote into it.
  const auto torn = [&] { return std::ranges::all_of(rest, [](std::byte byte) { return byte == std::byte{0}; }); };
  uint32_t length = 0, check = 0;
  if (rest.size() < kLengths) return std::nullopt;
  std::memcpy(&length, rest.data(), sizeof length);
  std::memcpy(&check, rest.data() + sizeof length, sizeof check);
  if (check != check_of(length)) {
    if (torn()) return std::nullopt;
    damaged();
  }
  const uint64_t bytes = kLengths + uint64_t{length} + kHash;
  if (bytes > rest.size()) return std::nullopt;
  const auto content = rest.subspan(kLengths, length);
  uint64_t hash = 0;
  std::memcpy(&hash, rest.data() + kLengths + length, sizeof hash);
  if (hash != XXH3_64bits(content.data(), content.size())) {
    if (bytes == rest.size()) return std::nullopt;
    damaged();
  }
  offset_ += bytes;
  return content;
}

JournalHeader parse_header(std::span<const std::byte> content, const std::string& name) {
  ContentReader reader(content, name, kJournalMagic.size());
  const auto version = reader.get<uint32_t>();
  if (version != kJournalVersion)
    fail(ErrorCode::kUnsupported,
         "{}: format version {}, this program reads {}; go on with the version of effdet that wrote it, or remove the "
         "file to begin anew",
         name, version, kJournalVersion);
  JournalHeader header;
  header.program = reader.get_text();
  const auto kind = reader.get<uint8_t>();
  reader.require(kind <= static_cast<uint8_t>(RunKind::kList), "kind");
  header.kind = static_cast<RunKind>(kind);
  header.key.model = reader.get<uint64_t>();
  header.key.options = reader.get<uint64_t>();
  header.key.data = reader.get<uint64_t>();
  header.shard.index = reader.get<uint64_t>();
  header.shard.count = reader.get<uint64_t>();
  header.total = reader.get<uint64_t>();
  if (header.kind == RunKind::kDataset) {
    header.data = get_data(reader);
  } else {
    const auto names = reader.get<uint32_t>();
    reader.require(names <= kMostClasses, "number of classes");
    for (uint32_t i = 0; i < names; ++i) header.class_names.push_back(reader.get_text());
  }
  reader.require(header.total <= kMostImages, "number of images");
  reader.require(header.shard.index < header.shard.count && header.shard.count <= Shard::kMost, "shard");
  reader.require(reader.left() == 0, "length");
  return header;
}

JournalEntry parse_entry(std::span<const std::byte> content, const std::string& name, uint64_t offset) {
  ContentReader reader(content, name, offset);
  JournalEntry entry;
  entry.image_id = reader.get<int64_t>();
  entry.file_bytes = reader.get<uint64_t>();
  if (const auto code = static_cast<ErrorCode>(reader.get<uint8_t>()); code != ErrorCode{}) {
    reader.require(lies_in_the_image(code), "error code");
    entry.failure = ImageFailure{code, reader.get_text()};
    reader.require(reader.left() == 0, "length");
    return entry;
  }
  const auto faults = reader.get<uint8_t>();
  entry.faults = {(faults & kNanScores) != 0, (faults & kNotFiniteBox) != 0};
  (faults & kOfList) != 0 ? get_found(reader, (faults & kHasKey) != 0, entry) : get_results(reader, entry);
  return entry;
}

}  // namespace effdet::dataset
