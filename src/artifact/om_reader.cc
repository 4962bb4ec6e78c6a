// Reads a compiled model: header, check sum, program section, and constants that stay in the mapping.
#include <sys/mman.h>

#include <cstring>
#include <future>
#include <thread>

#include "artifact/om_file.h"
#include "artifact/om_generated.h"
#include "artifact/om_header.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"

namespace effdet::artifact {
namespace {

constexpr size_t kMaxRank = 8;

OmHeader read_header(const MappedFile& file) {
  OmHeader header{};
  const auto require = [&](bool condition, std::string_view field, size_t offset, uint64_t value) {
    if (!condition) bad_input("{}: header field {} at offset {}: bad value {}", file.path(), field, offset, value);
  };
  if (file.size() < sizeof header)
    bad_input("{}: {} bytes are too few for a compiled model; make one with atc", file.path(), file.size());
  std::memcpy(&header, file.bytes().data(), sizeof header);
  if (header.magic != kOmMagic)
    bad_input("{}: not a compiled model of effdet (magic at offset 0); make one with atc", file.path());
  if (header.version != kOmVersion)
    fail(ErrorCode::kUnsupported,
         "{}: format version {} at offset {}, this program reads {}; make it anew from the model: effdet atc "
         "--framework=5 --soc_version=native --model=MODEL.onnx --output=MODEL",
         file.path(), header.version, offsetof(OmHeader, version), kOmVersion);
  require(header.header_bytes == sizeof header, "header_bytes", offsetof(OmHeader, header_bytes), header.header_bytes);
  require(header.file_bytes == file.size(), "file_bytes", offsetof(OmHeader, file_bytes), header.file_bytes);
  require(header.program_offset == sizeof header, "program_offset", offsetof(OmHeader, program_offset),
          header.program_offset);
  require(fits(header.program_offset, header.program_bytes, file.size()) &&
              header.program_bytes < FLATBUFFERS_MAX_BUFFER_SIZE,
          "program_bytes", offsetof(OmHeader, program_bytes), header.program_bytes);
  require(header.weights_offset % kTensorAlignment == 0 &&
              header.weights_offset >= header.program_offset + header.program_bytes,
          "weights_offset", offsetof(OmHeader, weights_offset), header.weights_offset);
  require(fits(header.weights_offset, header.weights_bytes, file.size()) &&
              header.weights_offset + header.weights_bytes == file.size(),
          "weights_bytes", offsetof(OmHeader, weights_bytes), header.weights_bytes);
  return header;
}

/// The elements of a list, none where it is absent. The verifier lets lists of 8-byte numbers lie on any 4-byte
/// boundary, so they are not read in place.
template <typename T>
std::vector<T> copy_list(const flatbuffers::Vector<T>* list) {
  std::vector<T> copy(list != nullptr ? list->size() : 0);
  if (!copy.empty()) std::memcpy(copy.data(), list->Data(), copy.size() * sizeof(T));
  return copy;
}

ir::Attribute read_attribute(const om::Attribute& a, const std::string& name) {
  const auto texts = [&] {
    std::vector<std::string> list;
    if (a.texts() != nullptr)
      for (const auto* text : *a.texts()) list.push_back(text->str());
    return list;
  };
  switch (a.kind()) {
    case 0:
      return a.integer();
    case 1:
      return a.real();
    case 2:
      return a.text() != nullptr ? a.text()->str() : std::string();
    case 3:
      return copy_list(a.integers());
    case 4:
      return copy_list(a.reals());
    case 5:
      return texts();
    default:
      bad_input("{}: attribute '{}' has the unknown kind {}", name, a.name()->str(), a.kind());
  }
}

/// Reads the program section into a Program whose constants lie in the file's mapping.
class ProgramReader {
 public:
  ProgramReader(const MappedFile& file, const OmHeader& header, const om::Program& source)
      : file_(file), header_(header), source_(source) {}

  /// metadata: of the first plan, which stand for all; null for the first itself.
  Program read(const std::map<std::string, std::string>* metadata) {
    program_.target = source_.target()->str();
    program_.graph.name = source_.name()->str();
    program_.graph.opset = source_.opset();
    program_.arena_bytes = source_.arena_bytes();
    program_.micro_batches = source_.micro_batches();
    for (const auto* value : *source_.values()) read_value(*value);
    for (const auto* node : *source_.nodes()) read_node(*node);
    if (!says_layouts_) infer_layouts(program_.graph);
    program_.graph.inputs = read_ids(*source_.inputs(), false);
    program_.graph.outputs = read_ids(*source_.outputs(), false);
    for (const auto* entry : *source_.metadata()) program_.graph.metadata[entry->key()->str()] = entry->value()->str();
    if (metadata != nullptr) program_.graph.metadata = *metadata;
    return std::move(program_);
  }

 private:
  void read_value(const om::Value& source) {
    const std::string name = source.name()->str();
    if (source.dtype() > static_cast<uint8_t>(DType::kBool))
      bad_input("{}: tensor '{}' has the unknown type {}", file_.path(), name, source.dtype());
    if (source.space() > static_cast<uint8_t>(Placement::Space::kOutput))
      bad_input("{}: tensor '{}' has the unknown place {}", file_.path(), name, source.space());
    if (source.shape()->size() > kMaxRank)
      bad_input("{}: tensor '{}' has {} dimensions", file_.path(), name, source.shape()->size());
    if (source.layout() > static_cast<uint8_t>(ir::Layout::kNhwc) + 1)
      bad_input("{}: tensor '{}' has the unknown layout {}", file_.path(), name, source.layout());
    ir::Value value{name, static_cast<DType>(source.dtype()), copy_list(source.shape()), {}};
    if (source.layout() == 0) {
      says_layouts_ = false;
    } else {
      value.layout = static_cast<ir::Layout>(source.layout() - 1);
    }
    const Placement placement{static_cast<Placement::Space>(source.space()), source.offset()};
    if (placement.space == Placement::Space::kWeights) value.constant = read_weights(value, placement.offset);
    program_.graph.add_value(std::move(value));
    program_.placements.push_back(placement);
  }

  Tensor read_weights(const ir::Value& value, uint64_t offset) const {
    const uint64_t bytes = value_bytes(value);
    if (offset % kTensorAlignment != 0 || !fits(offset, bytes, header_.weights_bytes))
      bad_input("{}: weights '{}' at offset {} with {} bytes lie outside the {} bytes of weights", file_.path(),
                value.name, offset, bytes, header_.weights_bytes);
    const std::byte* data = file_.bytes().data() + header_.weights_offset + offset;
    return Tensor(value.dtype, *value.shape, std::shared_ptr<const std::byte>(file_.owner(), data));
  }

  std::vector<ir::ValueId> read_ids(const flatbuffers::Vector<int32_t>& source, bool may_be_absent) const {
    const std::vector<ir::ValueId> ids = copy_list(&source);
    for (ir::ValueId id : ids)
      if (!(may_be_absent && id == ir::kNoValue) && (id < 0 || static_cast<size_t>(id) >= program_.graph.value_count()))
        bad_input("{}: tensor number {} does not exist", file_.path(), id);
    return ids;
  }

  void read_node(const om::Node& source) {
    ir::Node node{source.op()->str(),
                  source.domain()->str(),
                  source.name()->str(),
                  read_ids(*source.inputs(), true),
                  read_ids(*source.outputs(), true),
                  {}};
    for (const auto* attribute : *source.attributes())
      node.attributes[attribute->name()->str()] = read_attribute(*attribute, file_.path());
    program_.graph.nodes.push_back(std::move(node));
  }

  const MappedFile& file_;
  const OmHeader& header_;
  const om::Program& source_;
  Program program_;
  bool says_layouts_ = true;  ///< the file has those of all values
};

/// The checksum of a large file on a thread of its own, since it takes as long as all that is made of the program
/// section. Where there is no such thread, it is computed when it is asked for.
std::future<uint64_t> start_checksum(const MappedFile& file, const OmHeader& header) {
  static constexpr size_t kLarge = size_t{1} << 20;
  const bool pays = file.size() >= kLarge && std::thread::hardware_concurrency() > 1;
  return std::async(pays ? std::launch::async | std::launch::deferred : std::launch::deferred, [&file, header] {
    // All pages at once: faster than one after the other. A failure shows when they are read.
    if (file.size() >= kLarge) ::madvise(const_cast<std::byte*>(file.bytes().data()), file.size(), MADV_POPULATE_READ);
    const std::span<const std::byte> parts[] = {file.bytes().subspan(sizeof header)};
    return om_checksum(header, parts);
  });
}

std::vector<Program> read_plans(const MappedFile& file, const OmHeader& header) {
  const auto* section = reinterpret_cast<const uint8_t*>(file.bytes().data() + header.program_offset);
  // A valid checksum is not trust: whoever wrote the file may have computed it.
  flatbuffers::Verifier verifier(section, header.program_bytes, /*max_depth=*/16, /*max_tables=*/10'000'000);
  if (!om::VerifyProgramBuffer(verifier))
    bad_input("{}: the program section at offset {} is malformed", file.path(), header.program_offset);
  const om::Program& root = *om::GetProgram(section);
  std::vector<Program> plans;
  plans.push_back(ProgramReader(file, header, root).read(nullptr));
  if (root.plans() != nullptr) {
    if (root.plans()->size() >= kMaxPlans)
      bad_input("{}: {} plans, not 1 to {}", file.path(), root.plans()->size() + 1, kMaxPlans);
    for (const auto* plan : *root.plans()) {
      if (plan->plans() != nullptr) bad_input("{}: plan {} has plans of its own", file.path(), plans.size());
      plans.push_back(ProgramReader(file, header, *plan).read(&plans[0].graph.metadata));
    }
  }
  verify_plans(plans, file.path());
  return plans;
}

std::vector<Program> read_mapped(const MappedFile& file) {
  const OmHeader header = read_header(file);
  std::future<uint64_t> checksum = start_checksum(file, header);
  const auto require_checksum = [&] {
    if (checksum.get() != header.checksum)
      bad_input("{}: checksum at offset {} does not match: the file is damaged; compile the model anew", file.path(),
                offsetof(OmHeader, checksum));
  };
  try {
    std::vector<Program> plans = read_plans(file, header);
    require_checksum();
    return plans;
  } catch (...) {  // of a damaged file, that it is damaged says more
    if (checksum.valid()) require_checksum();
    throw;
  }
}

}  // namespace

bool is_om(const std::filesystem::path& path) {
  const MappedFile file(path);
  return file.size() >= kOmMagic.size() && std::memcmp(file.bytes().data(), kOmMagic.data(), kOmMagic.size()) == 0;
}

std::vector<Program> read_om(const std::filesystem::path& path) { return read_mapped(MappedFile(path)); }

std::vector<Program> read_om(std::span<const std::byte> bytes, const std::string& name) {
  return read_mapped(MappedFile(bytes, name));
}

}  // namespace effdet::artifact
