// Puts a response together of slices; fields have the numbers of inference.proto.
#include "server/grpc/infer_reply.h"

#include <grpcpp/support/slice.h>

#include <vector>

#include "server/grpc/wire.h"

namespace effdet::server::grpc_module {
namespace {

using Owner = std::shared_ptr<const Answer>;

std::string begin_of(const InferNames& names) {
  std::string text;
  append_bytes(text, 1, names.model);
  append_bytes(text, 2, "1");
  if (!names.id.empty()) append_bytes(text, 3, names.id);
  return text;
}

// Values of InferParameter.
std::string count_value(uint64_t count) {
  constexpr char kInt64Key = 2 << 3;
  std::string text(1, kInt64Key);
  append_varint(text, count);
  return text;
}
std::string text_value(const std::string& value) {
  std::string text;
  append_bytes(text, 3, value);
  return text;
}

/// An entry of a map from names to InferParameter.
std::string parameter_of(const char* name, const std::string& value) {
  std::string text;
  append_bytes(text, 1, name);
  append_bytes(text, 2, value);
  return text;
}

std::string label_field(const TensorLabel& label) {
  std::string text, shape, field;
  append_bytes(text, 1, label.name);
  append_bytes(text, 2, label.datatype);
  for (const int64_t dimension : label.shape) append_varint(shape, static_cast<uint64_t>(dimension));
  append_bytes(text, 3, shape);
  if (label.shared) {
    append_bytes(text, 4, parameter_of("shared_memory_region", text_value(label.shared->region)));
    append_bytes(text, 4, parameter_of("shared_memory_offset", count_value(label.shared->offset)));
    append_bytes(text, 4, parameter_of("shared_memory_byte_size", count_value(label.shared->bytes)));
  }
  append_bytes(field, 5, text);
  return field;
}

grpc::Slice slice_of(std::span<const std::byte> bytes, const Owner& owner) {
  // gRPC's C interface takes no pointers to const; it reads alone.
  return {const_cast<std::byte*>(bytes.data()), bytes.size(), [](void* held) { delete static_cast<Owner*>(held); },
          new Owner(owner)};
}

}  // namespace

grpc::ByteBuffer infer_reply(const InferNames& names, Owner answer, bool in_stream) {
  constexpr int kRawOutput = 6, kInferResponse = 2;
  std::string text = begin_of(names);
  for (const TensorLabel& label : answer->tensors) text += label_field(label);
  std::vector<std::string> texts = {std::move(text)};  // each before a part, but for the last
  for (const auto& part : answer->parts) {
    append_length(texts.back(), kRawOutput, part.size());
    texts.emplace_back();
  }
  uint64_t size = answer->body_bytes();
  for (const std::string& one : texts) size += one.size();
  std::vector<grpc::Slice> slices;
  std::string around;
  if (in_stream) append_length(around, kInferResponse, size);
  slices.emplace_back(around + texts.front());
  for (size_t i = 0; i < answer->parts.size(); ++i) {
    if (!answer->parts[i].empty()) slices.push_back(slice_of(answer->parts[i], answer));
    slices.emplace_back(texts[i + 1]);
  }
  return {slices.data(), slices.size()};
}

grpc::ByteBuffer error_reply(const InferNames& names, const std::string& error) {
  std::string text;
  append_bytes(text, 1, error);
  append_bytes(text, 2, begin_of(names));
  const grpc::Slice slice(text);
  return {&slice, 1};
}

}  // namespace effdet::server::grpc_module
