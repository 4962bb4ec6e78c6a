// Writes a compiled model: the plans as one FlatBuffer, and each constant once after it.
#include <xxh_x86dispatch.h>  // xxhash.h with the instructions that this processor has

#include <cstring>
#include <map>

#include "artifact/om_file.h"
#include "artifact/om_generated.h"
#include "artifact/om_header.h"
#include "base/error.h"
#include "base/file.h"

namespace effdet::artifact {
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
    Offset operator()(const std::shared_ptr<const ir::OpaqueAttribute>&) const {
      fail(ErrorCode::kUnsupported, "attribute '{}': graphs cannot be attributes of a compiled step", name);
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

/// Where each constant lies in the weights section. Those that share their bytes lie in one place, whichever plans they
/// belong to.
class WeightsLayout {
 public:
  explicit WeightsLayout(std::span<const Program> plans) {
    for (const Program& program : plans)
      for (size_t i = 0; i < program.graph.value_count(); ++i)
        if (const Tensor* constant = program.graph.constant(static_cast<ir::ValueId>(i))) place(*constant);
  }

  uint64_t offset_of(const Tensor& constant) const { return offsets_.at(key(constant)); }
  uint64_t bytes() const { return bytes_; }
  /// The section's content in order, padding included.
  const std::vector<std::span<const std::byte>>& parts() const { return parts_; }

 private:
  using Key = std::pair<const std::byte*, size_t>;
  static Key key(const Tensor& constant) { return {constant.bytes().data(), constant.byte_size()}; }

  void place(const Tensor& constant) {
    if (!offsets_.emplace(key(constant), bytes_).second) return;
    static constexpr std::byte kZeros[kTensorAlignment] = {};
    const uint64_t padded = aligned_bytes(constant.byte_size());
    parts_.push_back(constant.bytes());
    parts_.emplace_back(kZeros, padded - constant.byte_size());
    bytes_ += padded;
  }

  std::map<Key, uint64_t> offsets_;
  std::vector<std::span<const std::byte>> parts_;
  uint64_t bytes_ = 0;
};

flatbuffers::Offset<om::Program> write_plan(
    flatbuffers::FlatBufferBuilder& b, const Program& program, const WeightsLayout& weights,
    const std::map<std::string, std::string>& metadata,
    flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<om::Program>>> plans) {
  std::vector<flatbuffers::Offset<om::Value>> values;
  for (size_t i = 0; i < program.graph.value_count(); ++i) {
    const ir::Value& value = program.graph.value(static_cast<ir::ValueId>(i));
    const Placement& placement = program.placements[i];
    const uint64_t offset = value.constant ? weights.offset_of(*value.constant) : placement.offset;
    values.push_back(om::CreateValueDirect(b, value.name.c_str(), static_cast<uint8_t>(value.dtype), &*value.shape,
                                           static_cast<uint8_t>(placement.space), offset,
                                           static_cast<uint8_t>(static_cast<uint8_t>(value.layout) + 1)));
  }
  std::vector<flatbuffers::Offset<om::Node>> nodes;
  for (const ir::Node& node : program.graph.nodes) nodes.push_back(write_node(b, node));
  std::vector<flatbuffers::Offset<om::Entry>> entries;
  for (const auto& [key, value] : metadata)
    entries.push_back(om::CreateEntry(b, b.CreateString(key), b.CreateString(value)));
  const auto name = b.CreateString(program.graph.name), target = b.CreateString(program.target);
  const auto value_list = b.CreateVector(values);
  const auto node_list = b.CreateVector(nodes);
  const auto inputs = b.CreateVector(program.graph.inputs), outputs = b.CreateVector(program.graph.outputs);
  return om::CreateProgram(b, name, target, program.graph.opset, program.arena_bytes, value_list, node_list, inputs,
                           outputs, b.CreateVector(entries), plans, program.micro_batches);
}

/// The program section: the first plan, and the others in it.
flatbuffers::DetachedBuffer write_program(std::span<const Program> plans, const WeightsLayout& weights) {
  flatbuffers::FlatBufferBuilder b(1 << 16);
  std::vector<flatbuffers::Offset<om::Program>> others;
  for (const Program& plan : plans.subspan(1)) others.push_back(write_plan(b, plan, weights, {}, 0));
  const auto list = others.empty() ? 0 : b.CreateVector(others);
  b.Finish(write_plan(b, plans[0], weights, plans[0].graph.metadata, list));
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

void write_om(std::span<const Program> plans, const std::filesystem::path& path) {
  verify_plans(plans, path.string());
  const WeightsLayout weights(plans);
  const flatbuffers::DetachedBuffer buffer = write_program(plans, weights);
  std::vector<std::byte> section(aligned_bytes(buffer.size()));
  std::memcpy(section.data(), buffer.data(), buffer.size());
  std::vector<std::span<const std::byte>> parts = {section};
  parts.insert(parts.end(), weights.parts().begin(), weights.parts().end());

  OmHeader header{.magic = kOmMagic,
                  .version = kOmVersion,
                  .header_bytes = sizeof(OmHeader),
                  .checksum = 0,
                  .file_bytes = sizeof(OmHeader) + section.size() + weights.bytes(),
                  .program_offset = sizeof(OmHeader),
                  .program_bytes = buffer.size(),
                  .weights_offset = sizeof(OmHeader) + section.size(),
                  .weights_bytes = weights.bytes()};
  header.checksum = om_checksum(header, parts);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header, 1)));
  for (const auto part : parts) file.write(part);
  file.commit();
}

}  // namespace effdet::artifact
