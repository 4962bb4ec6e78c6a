// Protobuf's wire format, field by field: of messages that clients send, without memory for what they announce.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace effdet::server::grpc_module {

struct Field {
  enum class Type { kVarint, kFixed64, kBytes, kFixed32 };

  int number = 0;
  Type type = Type::kVarint;
  uint64_t value = 0;                ///< of a kVarint; else bytes
  std::span<const std::byte> bytes;  ///< where they lie in the message

  bool is(int wanted, Type of) const { return number == wanted && type == of; }
  std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

/// Reads one field after the other.
class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> message) : left_(message) {}

  /// False: the end. Throws HttpError(400) for what is no message of protobuf.
  bool next(Field& field);

 private:
  std::span<const std::byte> take(uint64_t bytes);

  std::span<const std::byte> left_;
};

/// Takes a number from the beginning of what is there. Throws as above.
uint64_t take_varint(std::span<const std::byte>& from);

void append_varint(std::string& out, uint64_t value);
void append_bytes(std::string& out, int number, std::string_view bytes);
/// The beginning of a field of that many bytes.
void append_length(std::string& out, int number, uint64_t bytes);

}  // namespace effdet::server::grpc_module
