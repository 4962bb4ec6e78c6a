// Writes pickles opcode by opcode, and zip archives with any field wrong.
#include "checkpoint/test_files.h"

#include <zlib.h>

#include <atomic>

#include "base/file.h"
#include "checkpoint/little_endian.h"
#include "support/test_folder.h"

namespace effdet::checkpoint {

using checkpoint::append_le;

namespace {

std::string deflate_raw(const std::string& data) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

uint32_t crc_of(const std::string& data) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string header_fields(const TestRecord& record, uint32_t compressed, uint32_t size) {
  std::string fields;
  append_le(fields, uint16_t{20});
  append_le(fields, record.flags);
  append_le(fields, record.method.value_or(record.deflate ? 8 : 0));
  append_le(fields, uint32_t{0x00210000});
  append_le(fields, record.crc.value_or(crc_of(record.data)));
  append_le(fields, compressed);
  append_le(fields, size);
  append_le(fields, static_cast<uint16_t>(record.name.size()));
  return fields;
}

}  // namespace

PickleBuilder& PickleBuilder::raw(std::string_view bytes) {
  text_ += bytes;
  return *this;
}

PickleBuilder& PickleBuilder::unicode(std::string_view text) {
  text_ += 'X';
  append_le(text_, static_cast<uint32_t>(text.size()));
  text_ += text;
  return *this;
}

PickleBuilder& PickleBuilder::integer(int64_t value) {
  if (value >= 0 && value < 256) {
    text_ += 'K';
    text_ += static_cast<char>(value);
  } else {
    text_ += "\x8a\x08";
    append_le(text_, value);
  }
  return *this;
}

PickleBuilder& PickleBuilder::global(std::string_view module, std::string_view name) {
  text_.append("c").append(module).append("\n").append(name).append("\n");
  return *this;
}

PickleBuilder& PickleBuilder::tuple(const std::vector<int64_t>& values) {
  text_ += '(';
  for (const int64_t value : values) integer(value);
  text_ += 't';
  return *this;
}

PickleBuilder& PickleBuilder::storage(std::string_view key, int64_t numel, std::string_view type) {
  return raw("(").unicode("storage").global("torch", type).unicode(key).unicode("cpu").integer(numel).raw("tQ");
}

PickleBuilder& PickleBuilder::tensor(std::string_view key, int64_t numel, int64_t offset,
                                     const std::vector<int64_t>& size, const std::vector<int64_t>& stride,
                                     std::string_view type) {
  global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(key, numel, type).integer(offset);
  return tuple(size).tuple(stride).raw("\x89").ordered_dict().raw("tR");
}

std::string make_zip(const std::vector<TestRecord>& records) {
  std::string file, directory;
  for (const TestRecord& record : records) {
    const std::string stored = record.deflate ? deflate_raw(record.data) : record.data;
    const auto offset = static_cast<uint32_t>(file.size());
    const auto size = static_cast<uint32_t>(record.data.size()), compressed = static_cast<uint32_t>(stored.size());
    // Padded as PyTorch does, so that data is aligned.
    const size_t unpadded = file.size() + 30 + record.name.size() + 4;
    const std::string padding((64 - unpadded % 64) % 64, 'Z');
    file += "PK\x03\x04" + header_fields(record, compressed, size);
    append_le(file, static_cast<uint16_t>(padding.size() + 4));
    file += record.name + "FB";
    append_le(file, static_cast<uint16_t>(padding.size()));
    file += padding + stored;
    directory += "PK\x01\x02";
    append_le(directory, uint16_t{20});
    directory += header_fields(record, record.central_size.value_or(compressed), record.central_size.value_or(size));
    append_le(directory, static_cast<uint16_t>(record.central_extra.size()));
    directory.append(10, '\0');
    append_le(directory, record.central_offset.value_or(offset));
    directory += record.name + record.central_extra;
  }
  std::string end("PK\x05\x06");
  append_le(end, uint32_t{0});
  append_le(end, static_cast<uint16_t>(records.size()));
  append_le(end, static_cast<uint16_t>(records.size()));
  append_le(end, static_cast<uint32_t>(directory.size()));
  append_le(end, static_cast<uint32_t>(file.size()));
  append_le(end, uint16_t{0});
  return file + directory + end;
}

std::vector<TestRecord> checkpoint_records(const std::string& pickle, const std::vector<std::string>& storages) {
  std::vector<TestRecord> records = {{"archive/data.pkl", pickle}, {"archive/byteorder", "little"}};
  for (size_t i = 0; i < storages.size(); ++i) records.push_back({"archive/data/" + std::to_string(i), storages[i]});
  records.push_back({"archive/version", "3\n"});
  return records;
}

std::string make_checkpoint(const std::string& pickle, const std::vector<std::string>& storages) {
  return make_zip(checkpoint_records(pickle, storages));
}

std::string small_pickle() {
  return PickleBuilder().raw("}").unicode("w").tensor("0", 6, 0, {2, 3}, {3, 1}).raw("s").stop();
}

std::string small_storage() {
  std::string data;
  for (int i = 0; i < 6; ++i) append_le(data, static_cast<float>(i));
  return data;
}

std::string small_checkpoint() { return make_checkpoint(small_pickle(), {small_storage()}); }

TempFile::TempFile(std::string_view content, std::string_view suffix) {
  static const test::TestFolder folder("checkpoint");  // one for all: some tests write thousands of files
  static std::atomic<int> counter{0};
  path_ = folder / (std::to_string(counter++) + std::string(suffix));
  write_file(path_, content, false);
}

TempFile::~TempFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

checkpoint::Checkpoint read(std::string_view content, const checkpoint::ReadOptions& options) {
  const TempFile file(content);
  return checkpoint::read_checkpoint(file.path(), options);  // a mapping outlives its file's name
}

void expect_error(std::string_view content, const std::vector<std::string>& parts, ErrorCode code) {
  const TempFile file(content);
  try {
    checkpoint::read_checkpoint(file.path());
    ADD_FAILURE() << "no Error; expected one with '" << (parts.empty() ? "" : parts.front()) << "'";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.code(), code) << message;
    EXPECT_NE(message.find(file.path().string()), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    for (const std::string& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
  }
}

void expect_pickle_error(const std::string& pickle, const std::vector<std::string>& parts, ErrorCode code) {
  std::vector<std::string> all = parts;
  all.push_back("at byte ");
  expect_error(make_checkpoint(pickle, {small_storage()}), all, code);
}

}  // namespace effdet::checkpoint
