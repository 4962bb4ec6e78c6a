// Reads and writes fields.
#include "server/grpc/wire.h"

#include "server/http_error.h"

namespace effdet::server::grpc_module {
namespace {

constexpr int kLengthDelimited = 2;

[[noreturn]] void refuse(const char* what) { throw HttpError(400, "the message is no protobuf: {}", what); }

}  // namespace

uint64_t take_varint(std::span<const std::byte>& from) {
  constexpr size_t kMostBytes = 10;
  uint64_t value = 0;
  for (size_t i = 0; i < kMostBytes; ++i) {
    if (i == from.size()) refuse("it ends within a number");
    const auto byte = static_cast<uint64_t>(from[i]);
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      from = from.subspan(i + 1);
      return value;
    }
  }
  refuse("a number has more than 10 bytes");
}

std::span<const std::byte> FieldReader::take(uint64_t bytes) {
  if (bytes > left_.size()) refuse("a field is longer than what is left");
  const std::span<const std::byte> taken = left_.first(bytes);
  left_ = left_.subspan(bytes);
  return taken;
}

bool FieldReader::next(Field& field) {
  if (left_.empty()) return false;
  const uint64_t tag = take_varint(left_);
  if (tag > UINT32_MAX || tag >> 3 == 0) refuse("a field has no number");
  field = {.number = static_cast<int>(tag >> 3)};
  switch (tag & 7) {
    case 0:
      field.type = Field::Type::kVarint;
      field.value = take_varint(left_);
      return true;
    case 1:
      field.type = Field::Type::kFixed64;
      field.bytes = take(8);
      return true;
    case kLengthDelimited:
      field.type = Field::Type::kBytes;
      field.bytes = take(take_varint(left_));
      return true;
    case 5:
      field.type = Field::Type::kFixed32;
      field.bytes = take(4);
      return true;
    default:
      refuse("a field has a type that there is not");
  }
}

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void append_length(std::string& out, int number, uint64_t bytes) {
  append_varint(out, static_cast<uint64_t>(number) << 3 | kLengthDelimited);
  append_varint(out, bytes);
}

void append_bytes(std::string& out, int number, std::string_view bytes) {
  append_length(out, number, bytes.size());
  out += bytes;
}

}  // namespace effdet::server::grpc_module
