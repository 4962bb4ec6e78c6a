// Splits pickle bytes into opcodes, and finds which memo entries are read at all.
#include "checkpoint/pickle_ops.h"

#include <algorithm>

#include "checkpoint/little_endian.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {

std::string_view OpReader::take(uint64_t length, uint64_t op_offset) {
  const uint64_t left = source_.bytes.size() - offset_;
  if (length > left)
    source_.fail_at(op_offset,
                    "the opcode's argument has {} bytes, but only {} are left: the file is cut off or damaged", length,
                    left);
  const auto argument = source_.bytes.substr(offset_, length);
  offset_ += length;
  return argument;
}

std::string_view OpReader::take_line(uint64_t op_offset) {
  // Real names are short; a limit keeps a scan over a missing newline from becoming quadratic.
  constexpr size_t kLongestName = 1000;
  const auto line = source_.bytes.substr(offset_, kLongestName);
  const size_t end = line.find('\n');
  if (end == line.npos) source_.fail_at(op_offset, "the name of a GLOBAL does not end");
  offset_ += end + 1;
  return line.substr(0, end);
}

Op OpReader::next() {
  const uint64_t start = offset_;
  if (start >= source_.bytes.size()) source_.fail_at(start, "the pickle ends without STOP: it is cut off");
  const auto code = static_cast<OpCode>(source_.bytes[offset_++]);
  switch (code) {
    case OpCode::kBinInt1:
    case OpCode::kBinGet:
    case OpCode::kBinPut:
    case OpCode::kProto:
      return {code, start, take(1, start)};
    case OpCode::kBinInt2:
      return {code, start, take(2, start)};
    case OpCode::kBinInt:
    case OpCode::kLongBinGet:
    case OpCode::kLongBinPut:
      return {code, start, take(4, start)};
    case OpCode::kBinFloat:
      return {code, start, take(8, start)};
    case OpCode::kShortBinString:
    case OpCode::kLong1:
      return {code, start, take(static_cast<uint8_t>(take(1, start)[0]), start)};
    case OpCode::kBinUnicode:
      return {code, start, take(load_le<uint32_t>(take(4, start).data()), start)};
    case OpCode::kGlobal: {
      const uint64_t begin = offset_;
      take_line(start);
      take_line(start);
      return {code, start, source_.bytes.substr(begin, offset_ - 1 - begin)};
    }
    case OpCode::kMark:
    case OpCode::kStop:
    case OpCode::kNone:
    case OpCode::kBinPersId:
    case OpCode::kReduce:
    case OpCode::kAppend:
    case OpCode::kBuild:
    case OpCode::kAppends:
    case OpCode::kSetItem:
    case OpCode::kTuple:
    case OpCode::kSetItems:
    case OpCode::kEmptyDict:
    case OpCode::kEmptyList:
    case OpCode::kEmptyTuple:
    case OpCode::kNewObj:
    case OpCode::kTuple1:
    case OpCode::kTuple2:
    case OpCode::kTuple3:
    case OpCode::kNewTrue:
    case OpCode::kNewFalse:
    case OpCode::kEmptySet:
      return {code, start, {}};
  }
  source_.fail_at(start,
                  "pickle opcode {:#04x} is not one that a checkpoint may contain; re-save it with torch.save's "
                  "default protocol",
                  static_cast<uint8_t>(code));
}

PickleSource PickleSource::up_to_stop() const {
  OpReader reader(*this);
  while (reader.next().code != OpCode::kStop) {
  }
  PickleSource result = *this;
  result.bytes = bytes.substr(0, reader.offset());
  return result;
}

uint32_t memo_number(const Op& op) {
  return op.arg.size() == 1 ? load_le<uint8_t>(op.arg.data()) : load_le<uint32_t>(op.arg.data());
}

std::vector<uint32_t> scan_fetched_memo(const PickleSource& source, Budget& budget) {
  std::bitset<256> low;  // apart: a few low numbers are fetched millions of times
  std::vector<uint32_t> fetched;
  OpReader reader(source);
  Op op = reader.next();
  const auto protocol = op.arg.empty() ? 0 : static_cast<uint8_t>(op.arg[0]);
  if (op.code != OpCode::kProto || protocol < 2 || protocol > 5)
    source.fail_at(0, "not a pickle of protocol 2 or later");
  for (; op.code != OpCode::kStop; op = reader.next()) {
    if (op.code != OpCode::kBinGet && op.code != OpCode::kLongBinGet) continue;
    const uint32_t number = memo_number(op);
    if (number < low.size()) {
      low.set(number);
    } else {
      budget.enter(source.record, source.base + op.offset);
      budget.charge(2 * sizeof(uint32_t));  // a growing vector holds its content twice
      fetched.push_back(number);
    }
  }
  if (reader.offset() != source.bytes.size())
    source.fail_at(reader.offset(), "{} bytes follow STOP", source.bytes.size() - reader.offset());
  for (uint32_t number = 0; number < low.size(); ++number)
    if (low.test(number)) fetched.push_back(number);
  std::sort(fetched.begin(), fetched.end());
  fetched.erase(std::unique(fetched.begin(), fetched.end()), fetched.end());
  return fetched;
}

}  // namespace effdet::checkpoint
