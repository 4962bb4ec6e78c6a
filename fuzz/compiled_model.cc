// Compiled models: whatever the file says, its checksum is made right, for it protects from damage, not from an enemy.
#include <climits>
#include <cstring>
#include <optional>

#include "artifact/om_file.h"
#include "artifact/om_test_util.h"
#include "ops/cost.h"
#include "runtime/engine.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

using artifact::OmHeader;

constexpr uint64_t kMostBytes = 16 << 20;        // of what a run takes
constexpr int64_t kMostOperations = 10'000'000;  // of a run: a second, with sanitizers in a build that is not optimised

/// Whether a run takes at most a second or so.
bool is_quick(const artifact::Program& program) {
  const int64_t most = kMostOperations / program.micro_batches;
  int64_t operations = 0;
  for (const ir::Node& node : program.graph.nodes) {
    const int64_t flops = ops::cost_of(program.graph, node).flops;
    if (flops < 0 || flops > most - operations) return false;
    operations += flops;
  }
  return true;
}

/// Whether generated code can read the lists of 8-byte numbers in place: the verifier lets them lie on any 4-byte
/// boundary. The reader copies them.
bool is_aligned(const effdet::om::Program& program) {
  const auto fits = [](const flatbuffers::Vector<int64_t>* list) {
    return list == nullptr || reinterpret_cast<uintptr_t>(list->Data()) % alignof(int64_t) == 0;
  };
  for (const auto* value : *program.values())
    if (!fits(value->shape())) return false;
  for (const auto* node : *program.nodes())
    for (const auto* attribute : *node->attributes())
      if (!fits(attribute->integers())) return false;
  if (program.plans() != nullptr)
    for (const auto* plan : *program.plans())
      if (!is_aligned(*plan)) return false;
  return true;
}

/// The parts of a file whose program can be looked at.
std::optional<artifact::OmParts> parts_of(Bytes input) {
  std::vector<std::byte> file(input.begin(), input.end());
  OmHeader header;
  if (file.size() < sizeof header) return {};
  std::memcpy(&header, file.data(), sizeof header);
  const auto lies_inside = [&](uint64_t offset, uint64_t bytes) {
    return offset <= file.size() && bytes <= file.size() - offset;
  };
  // Elsewhere, as the reader has it, the program's numbers would not be aligned.
  if (header.program_offset != sizeof header) return {};
  if (!lies_inside(header.program_offset, header.program_bytes) || !lies_inside(header.weights_offset, 0)) return {};
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(file.data() + header.program_offset),
                                 header.program_bytes, 64, 100'000);
  if (!effdet::om::VerifyProgramBuffer(verifier)) return {};
  if (!is_aligned(*effdet::om::GetProgram(file.data() + header.program_offset))) return {};
  return artifact::take_apart(file);
}

int64_t number(std::mt19937& random, int64_t old) {
  constexpr int64_t kNumbers[] = {0, 1, -1, 2, 3, 5, 8, 63, 64, 65, 1024, 1 << 20, INT_MAX, LLONG_MAX, LLONG_MIN};
  switch (random() % 4) {
    case 0:
      return static_cast<int64_t>(static_cast<uint64_t>(old) + 1);
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(old) * 2);
    default:
      return kNumbers[random() % std::size(kNumbers)];
  }
}

template <typename List>
auto& any(List& list, std::mt19937& random) {
  return list[random() % list.size()];
}

template <typename T>
void change_one(std::vector<T>& list, std::mt19937& random) {
  if (list.empty() || random() % 8 == 0) return list.push_back(static_cast<T>(number(random, 0)));
  if (random() % 8 == 0) return list.pop_back();
  T& value = any(list, random);
  value = static_cast<T>(number(random, static_cast<int64_t>(value)));
}

void change_value(effdet::om::ValueT& value, std::mt19937& random) {
  switch (random() % 5) {
    case 0:
      value.dtype = static_cast<uint8_t>(random() % 16);
      break;
    case 1:
      value.space = static_cast<uint8_t>(random() % 6);
      break;
    case 2:
      value.offset = static_cast<uint64_t>(number(random, static_cast<int64_t>(value.offset)));
      break;
    case 3:
      value.layout = static_cast<uint8_t>(random() % 5);
      break;
    default:
      change_one(value.shape, random);
  }
}

void change_node(effdet::om::NodeT& node, const effdet::om::ProgramT& program, std::mt19937& random) {
  switch (random() % 4) {
    case 0:
      node.op = any(program.nodes, random)->op;
      break;
    case 1:
      change_one(random() % 2 == 0 ? node.inputs : node.outputs, random);
      break;
    default:
      if (node.attributes.empty()) return;
      effdet::om::AttributeT& attribute = *any(node.attributes, random);
      attribute.integer = number(random, attribute.integer);
      attribute.real = static_cast<float>(number(random, 0));
      if (!attribute.integers.empty()) change_one(attribute.integers, random);
  }
}

}  // namespace

void om(Bytes input) {
  std::vector<std::byte> file(input.begin(), input.end());
  if (file.size() >= sizeof(OmHeader)) artifact::seal(file);
  std::vector<artifact::Program> plans;
  if (!read([&] { plans = artifact::read_om(file, "input.om"); })) return;
  for (const artifact::Program& program : plans) {
    if (program.graph.nodes.size() > 100 || !is_quick(program)) continue;
    for (const bool reference_only : {false, true}) {
      read([&] {
        std::vector<Tensor> inputs;
        const auto engine = std::make_shared<runtime::Engine>(program, reference_only);
        uint64_t bytes = program.arena_bytes;
        for (const auto* values : {&engine->inputs(), &engine->outputs()})
          for (const ir::Value& value : *values) bytes += artifact::value_bytes(value);
        if (bytes > kMostBytes) return;
        for (const ir::Value& value : engine->inputs()) inputs.emplace_back(value.dtype, *value.shape);
        runtime::Session(engine, 1).run(inputs);
      });
    }
  }
}

std::vector<std::byte> mutate_om(Bytes input, std::mt19937& random) {
  std::optional<artifact::OmParts> parts = parts_of(input);
  if (!parts) return {};
  effdet::om::ProgramT& program = parts->program;
  if (program.values.empty() || program.nodes.empty()) return {};
  switch (random() % 8) {
    case 0:
      change_one(random() % 2 == 0 ? program.inputs : program.outputs, random);
      break;
    case 1:
      program.arena_bytes = static_cast<uint64_t>(number(random, static_cast<int64_t>(program.arena_bytes)));
      break;
    case 2:
      program.micro_batches = number(random, program.micro_batches);
      break;
    case 3:
    case 4:
      change_node(*any(program.nodes, random), program, random);
      break;
    default:
      change_value(*any(program.values, random), random);
  }
  return artifact::put_together(*parts);
}

}  // namespace effdet::fuzz
