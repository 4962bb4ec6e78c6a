#include <xxhash.h>

#include <cstring>

#include "artifact/om_file.h"
#include "artifact/om_generated.h"
#include "artifact/om_header.h"
#include "base/error.h"
#include "base/file.h"

namespace effdet {
namespace {

using Offset = flatbuffers::Offset<om::Attribute>;

Offset write_attribute(flatbuffers::FlatBufferBuilder& b, const std::string& name, const ir::Attribute& attribute) {
  struct Writer {
    flatbuffers::FlatBufferBuilder& b;
    const char* name;
    Offset operator()(int64_t v) const { return om::CreateAttributeDirect(b, name, 0, v); }
    Offset operator()(float v) const { return om::CreateAttributeDirect(b, name, 1, 0, v); }
    Offset operator()(const std::string& v) const { return om::CreateAttributeDirect(b, name, 2, 0, 0, v.c_str()); }
    Offset operator()(const std::vector<int64_t>& v) const {
      return om::CreateAttributeDirect(b, name, 3, 0, 0, nullptr, &v);
    }
    Offset operator()(const std::vector<float>& v) const {
      return om::CreateAttributeDirect(b, name, 4, 0, 0, nullptr, nullptr, &v);
    }
    Offset operator()(const std::vector<std::string>& v) const {
      const auto texts = b.CreateVectorOfStrings(v);
      return om::CreateAttribute(b, b.CreateString(name), 5, 0, 0, 0, 0, 0, texts);
    }
    Offset operator()(const Tensor&) const {
      fail(ErrorCode::kUnsupported, "attribute '{}': tensors cannot be attributes of a compiled step", name);
    }
  };
  return std::visit(Writer{b, name.c_str()}, attribute);
}

flatbuffers::Offset<om::Node> write_node(flatbuffers::FlatBufferBuilder& b, const ir::Node& node) {
  std::vector<Offset> attributes;
  for (const auto& [name, attribute] : node.attributes) attributes.push_back(write_attribute(b, name, attribute));
  return om::CreateNodeDirect(b, node.op.c_str(), node.domain.c_str(), node.name.c_str(), &node.inputs, &node.outputs,
                              &attributes);
}

uint64_t round_up(uint64_t value) { return (value + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment; }

/// The program section; weight_offsets has an offset into the weights section for each constant.
flatbuffers::DetachedBuffer write_program(const Program& program, const std::vector<uint64_t>& weight_offsets) {
  flatbuffers::FlatBufferBuilder b(1 << 16);
  std::vector<flatbuffers::Offset<om::Value>> values;
  for (size_t i = 0; i < program.graph.value_count(); ++i) {
    const ir::Value& value = program.graph.value(static_cast<ir::ValueId>(i));
    const Placement& placement = program.placements[i];
    const uint64_t offset = value.constant ? weight_offsets[i] : placement.offset;
    values.push_back(om::CreateValueDirect(b, value.name.c_str(), static_cast<uint8_t>(value.dtype), &*value.shape,
                                           static_cast<uint8_t>(placement.space), offset));
  }
  std::vector<flatbuffers::Offset<om::Node>> nodes;
  for (const ir::Node& node : program.graph.nodes) nodes.push_back(write_node(b, node));
  std::vector<flatbuffers::Offset<om::Entry>> metadata;
  for (const auto& [key, value] : program.graph.metadata)
    metadata.push_back(om::CreateEntry(b, b.CreateString(key), b.CreateString(value)));
  b.Finish(om::CreateProgramDirect(b, program.graph.name.c_str(), program.target.c_str(), program.graph.opset,
                                   program.arena_bytes, &values, &nodes, &program.graph.inputs, &program.graph.outputs,
                                   &metadata));
  return b.Release();
}

}  // namespace

uint64_t om_checksum(OmHeader header, std::span<const std::span<const std::byte>> parts) {
  header.checksum = 0;
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  XXH3_64bits_update(state.get(), &header, sizeof header);
  for (const auto part : parts) XXH3_64bits_update(state.get(), part.data(), part.size());
  return XXH3_64bits_digest(state.get());
}

void write_om(const Program& program, const std::filesystem::path& path) {
  verify_program(program, path.string());
  std::vector<uint64_t> offsets(program.graph.value_count(), 0);
  uint64_t weights_bytes = 0;
  std::vector<std::span<const std::byte>> parts(1);  // the program section comes first
  static constexpr std::byte kZeros[kTensorAlignment] = {};
  for (size_t i = 0; i < offsets.size(); ++i) {
    const Tensor* constant = program.graph.constant(static_cast<ir::ValueId>(i));
    if (constant == nullptr) continue;
    offsets[i] = weights_bytes;
    parts.push_back(constant->bytes());
    const uint64_t padded = round_up(constant->byte_size());
    parts.emplace_back(kZeros, padded - constant->byte_size());
    weights_bytes += padded;
  }
  const flatbuffers::DetachedBuffer buffer = write_program(program, offsets);
  std::vector<std::byte> section(round_up(buffer.size()));
  std::memcpy(section.data(), buffer.data(), buffer.size());
  parts[0] = section;

  OmHeader header{.magic = kOmMagic,
                  .version = kOmVersion,
                  .header_bytes = sizeof(OmHeader),
                  .checksum = 0,
                  .file_bytes = sizeof(OmHeader) + section.size() + weights_bytes,
                  .program_offset = sizeof(OmHeader),
                  .program_bytes = buffer.size(),
                  .weights_offset = sizeof(OmHeader) + section.size(),
                  .weights_bytes = weights_bytes};
  header.checksum = om_checksum(header, parts);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header, 1)));
  for (const auto part : parts) file.write(part);
  file.commit();
}

}  // namespace effdet
