// Tells whether nodes or graphs keep parts of a file as messages.
#include "ir/messages.h"

#include <algorithm>
#include <cstdint>

namespace effdet::ir {
namespace {

constexpr std::pair<int64_t, std::string_view> kOtherTypes[] = {
    {8, "string"},      {14, "complex64"},      {15, "complex128"}, {17, "float8e4m3fn"}, {18, "float8e4m3fnuz"},
    {19, "float8e5m2"}, {20, "float8e5m2fnuz"}, {21, "uint4"},      {22, "int4"},         {23, "float4e2m1"},
    {24, "float8e8m0"}, {25, "uint2"},          {26, "int2"}};

/// Reads one field of a protobuf message after the other, without the library.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  /// A number, or the bytes of what has a length.
  struct Field {
    uint64_t id = 0, number = 0;
    std::string_view bytes;
  };

  /// The next field; one with id 0 at the end, or where the bytes are no message.
  Field next() {
    const uint64_t tag = varint();
    Field field{tag >> 3};
    switch (tag & 7) {
      case 0:
        field.number = varint();
        return field;
      case 1:
        take(8);
        return field;
      case 2:
        field.bytes = take(varint());
        return field;
      case 5:
        take(4);
        return field;
      default:
        return {};
    }
  }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  std::string_view take(uint64_t count) {
    const std::string_view part = bytes_.substr(0, static_cast<size_t>(std::min<uint64_t>(count, bytes_.size())));
    bytes_.remove_prefix(part.size());
    return part;
  }

  std::string_view bytes_;
};

/// The first field of that number.
Fields::Field find_field(std::string_view message, uint64_t id) {
  Fields fields(message);
  for (;;)
    if (const Fields::Field field = fields.next(); field.id == id || field.id == 0) return field;
}

}  // namespace

bool has_opaque_attribute(const Node& node) {
  return std::ranges::any_of(node.attributes, [](const auto& entry) {
    return std::holds_alternative<std::shared_ptr<const OpaqueAttribute>>(entry.second);
  });
}

bool holds_messages(const Graph& graph) {
  return std::ranges::any_of(graph.nodes,
                             [](const Node& node) { return node.extra != nullptr || has_opaque_attribute(node); });
}

std::string_view other_type_name(int64_t code) {
  const auto found = std::ranges::find(kOtherTypes, code, [](const auto& row) { return row.first; });
  return found == std::end(kOtherTypes) ? std::string_view() : found->second;
}

std::string other_type_name(const Value& value) {
  constexpr uint64_t kDataType = 2, kTensorType = 1, kElementType = 1;  // of TensorProto, TypeProto, TypeProto.Tensor
  uint64_t code = 0;
  if (value.initializer) code = find_field(*value.initializer, kDataType).number;
  if (value.declared && code == 0)
    code = find_field(find_field(*value.declared, kTensorType).bytes, kElementType).number;
  const std::string_view name = other_type_name(static_cast<int64_t>(code));
  return std::string(name.empty() ? "unknown" : name);
}

}  // namespace effdet::ir
