// The records of a journal as bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "dataset/journal_file.h"

namespace effdet::dataset {

inline constexpr std::string_view kJournalMagic = "effdetJ\n";

/// A whole record: lengths, content and hash.
std::string record_of(const JournalHeader& header);
std::string record_of(const JournalEntry& entry);

/// The contents of the records of a file, one after the other.
class RecordReader {
 public:
  /// name: for messages. Throws Error(kBadInput) where the file does not begin with the magic.
  RecordReader(std::span<const std::byte> file, const std::string& name);
  /// Goes on behind a record that was read before; 0: from the first one on.
  RecordReader(std::span<const std::byte> file, const std::string& name, uint64_t offset);

  /// Nothing at the end of the file, or where what follows is a torn record. Throws Error(kBadInput) for a damaged one.
  std::optional<std::span<const std::byte>> next();
  /// End of the last record.
  uint64_t offset() const { return offset_; }

 private:
  [[noreturn]] void damaged() const;

  std::span<const std::byte> file_;
  const std::string& name_;
  uint64_t offset_ = 0;
};

/// Throw Error(kBadInput) for content that does not fit, the first one Error(kUnsupported) for another version.
JournalHeader parse_header(std::span<const std::byte> content, const std::string& name);
JournalEntry parse_entry(std::span<const std::byte> content, const std::string& name, uint64_t offset);

}  // namespace effdet::dataset
