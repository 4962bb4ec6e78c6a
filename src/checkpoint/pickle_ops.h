// Splits a pickle into opcodes and their arguments; knows the closed list of opcodes.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checkpoint/budget.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {

/// The opcodes that PyTorch's weights_only unpickler takes. All others, INST, OBJ, EXT1, STACK_GLOBAL and DUP among
/// them, are refused.
enum class OpCode : uint8_t {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kBinFloat = 'G',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kEmptySet = 0x8f,
};

struct Op {
  OpCode code;
  uint64_t offset;       ///< of the opcode
  std::string_view arg;  ///< without its length prefix; for GLOBAL the two lines
};

/// A pickle, and the file and record that messages name.
struct PickleSource {
  std::string_view bytes;
  std::string file;
  std::string_view record;  ///< "archive/data.pkl"
  uint64_t base = 0;        ///< added to offsets in messages: where bytes begins, in files that are not one record

  /// The same with bytes up to and with the first STOP. Throws Error as OpReader does.
  PickleSource up_to_stop() const;

  template <typename... Args>
  [[noreturn]] void fail_at(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    throw_at(ErrorCode::kBadInput, offset, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  [[noreturn]] void unsupported_at(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    throw_at(ErrorCode::kUnsupported, offset, fmt::format(format, std::forward<Args>(args)...));
  }
  /// Of a text that lies in bytes.
  uint64_t offset_of(std::string_view text) const { return static_cast<uint64_t>(text.data() - bytes.data()); }

 private:
  [[noreturn]] void throw_at(ErrorCode code, uint64_t offset, const std::string& message) const {
    fail(code, "{}: {} at byte {}: {}", file, quote_text(record), base + offset, message);
  }
};

class OpReader {
 public:
  /// source must outlive the reader.
  explicit OpReader(const PickleSource& source) : source_(source) {}

  /// The next opcode. Throws Error for one that is not in the list, and where its argument or STOP is missing.
  Op next();
  uint64_t offset() const { return offset_; }

 private:
  std::string_view take(uint64_t length, uint64_t op_offset);
  std::string_view take_line(uint64_t op_offset);

  const PickleSource& source_;
  uint64_t offset_ = 0;
};

/// Walks the whole pickle once: all opcodes are known, STOP is its last byte. Returns the memo numbers that are fetched
/// somewhere, sorted. A pickler memoises nearly everything and fetches little of it back; who knows what is fetched
/// need not keep the rest alive.
std::vector<uint32_t> scan_fetched_memo(const PickleSource& source, Budget& budget);

/// The number of a BINGET, LONG_BINGET, BINPUT or LONG_BINPUT.
uint32_t memo_number(const Op& op);

}  // namespace effdet::checkpoint
