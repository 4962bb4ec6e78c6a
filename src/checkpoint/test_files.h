// Builders of pickles, zip archives and whole checkpoints, good and hostile, for the tests of this layer.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "effdet/error.h"

namespace effdet::checkpoint {

/// Appends opcodes; nothing is checked, so that anything can be written.
class PickleBuilder {
 public:
  PickleBuilder() : text_("\x80\x02") {}

  PickleBuilder& raw(std::string_view bytes);
  PickleBuilder& unicode(std::string_view text);
  /// BININT1 or LONG1.
  PickleBuilder& integer(int64_t value);
  PickleBuilder& global(std::string_view module, std::string_view name);
  PickleBuilder& tuple(const std::vector<int64_t>& values);
  PickleBuilder& ordered_dict() { return global("collections", "OrderedDict").raw(")R"); }
  PickleBuilder& storage(std::string_view key, int64_t numel, std::string_view type = "FloatStorage");
  /// A value that _rebuild_tensor_v2 makes.
  PickleBuilder& tensor(std::string_view key, int64_t numel, int64_t offset, const std::vector<int64_t>& size,
                        const std::vector<int64_t>& stride, std::string_view type = "FloatStorage");
  /// The pickle with STOP.
  std::string stop() const { return text_ + "."; }
  const std::string& text() const { return text_; }
  /// Without the version in front, to be a part of another one.
  std::string part() const { return text_.substr(2); }

 private:
  std::string text_;
};

/// One record of a test archive; fields that are set replace the true ones.
struct TestRecord {
  std::string name;
  std::string data;
  bool deflate = false;
  uint16_t flags = 0;
  std::optional<uint16_t> method = std::nullopt;
  std::optional<uint32_t> crc = std::nullopt;
  std::optional<uint32_t> central_size = std::nullopt;    ///< in the central directory only
  std::optional<uint32_t> central_offset = std::nullopt;  ///< of the local header
  std::string central_extra = {};
};

std::string make_zip(const std::vector<TestRecord>& records);

/// The records of a checkpoint with this pickle and storages "0", "1", ...
std::vector<TestRecord> checkpoint_records(const std::string& pickle, const std::vector<std::string>& storages = {});
std::string make_checkpoint(const std::string& pickle, const std::vector<std::string>& storages = {});

/// {"w": float32 [2, 3] = 0..5}, one storage; for tests that damage something valid.
std::string small_pickle();
std::string small_storage();
std::string small_checkpoint();

/// A file in a temporary folder that disappears with the object.
class TempFile {
 public:
  explicit TempFile(std::string_view content = {}, std::string_view suffix = ".pth");
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Reads content as a checkpoint.
checkpoint::Checkpoint read(std::string_view content, const checkpoint::ReadOptions& options = {});
/// Reads it and expects an Error of that code on one line that names the file and contains every part.
void expect_error(std::string_view content, const std::vector<std::string>& parts,
                  ErrorCode code = ErrorCode::kBadInput);
/// The same for a checkpoint with this pickle and one storage "0" of 24 bytes; the message must tell an offset, too.
void expect_pickle_error(const std::string& pickle, const std::vector<std::string>& parts,
                         ErrorCode code = ErrorCode::kBadInput);

}  // namespace effdet::checkpoint
