// Verifies a program: shapes are those that inference gives, and tensors alive together do not overlap.
#include "artifact/program.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "ops/fused/layout.h"
#include "ops/op.h"

namespace effdet::artifact {
namespace {

using Space = Placement::Space;

std::vector<ops::Inferred> inferred_outputs(const ir::Graph& graph, const ir::Node& node) {
  std::vector<ops::InputInfo> infos;
  for (ir::ValueId id : node.inputs) {
    if (id == ir::kNoValue) {
      infos.emplace_back();
      continue;
    }
    const ir::Value& value = graph.value(id);
    infos.push_back({.present = true,
                     .dtype = value.dtype,
                     .shape = value.shape,
                     .value = graph.constant(id),
                     .layout = value.layout});
  }
  return ops::infer_node(node, graph.opset, infos);
}

void check_inferred(const Program& program, const ir::Node& node, const std::string& name) {
  const ir::Graph& graph = program.graph;
  const std::vector<ops::Inferred> inferred = inferred_outputs(graph, node);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == ir::kNoValue) continue;
    const ir::Value& value = graph.value(node.outputs[i]);
    if (i >= inferred.size() || inferred[i].dtype != value.dtype || inferred[i].shape != value.shape)
      bad_input("{}: step '{}' ({}) does not make a tensor of type {} and shape {} as '{}'", name, node.name, node.op,
                dtype_name(value.dtype), shape_text(*value.shape), value.name);
    if (inferred[i].layout.value_or(value.layout) != value.layout)
      bad_input("{}: step '{}' ({}) makes '{}' in another layout than the one that it has", name, node.name, node.op,
                value.name);
  }
}

void check_placement(const Program& program, ir::ValueId id, const std::string& name) {
  const ir::Value& value = program.graph.value(id);
  const Placement& placement = program.placements[static_cast<size_t>(id)];
  const auto require = [&](bool condition, std::string_view why) {
    if (!condition) bad_input("{}: tensor '{}' (offset {}): {}", name, value.name, placement.offset, why);
  };
  const uint64_t bytes = value_bytes(value);
  const auto is_at = [&](const std::vector<ir::ValueId>& list) {
    return placement.offset < list.size() && list[placement.offset] == id;
  };
  require((placement.space == Space::kWeights) == value.constant.has_value(), "weights and tensors are mixed up");
  switch (placement.space) {
    case Space::kArena:
      require(placement.offset % kTensorAlignment == 0, "not aligned");
      require(fits(placement.offset, bytes, program.arena_bytes), "outside the arena");
      break;
    case Space::kInput:
      require(is_at(program.graph.inputs), "is not that input");
      break;
    case Space::kOutput:
      require(is_at(program.graph.outputs), "is not that output");
      break;
    case Space::kNone:
    case Space::kWeights:
      break;
  }
}

struct Block {
  uint64_t begin, end;
  Lifetime life;
  ir::ValueId id;
};

/// What lies in the arena, in the order in which it comes to life.
std::vector<Block> arena_blocks(const Program& program) {
  std::vector<Block> blocks;
  const std::vector<Lifetime> lives = lifetimes(program.graph);
  for (size_t i = 0; i < program.placements.size(); ++i) {
    const Placement& placement = program.placements[i];
    const auto id = static_cast<ir::ValueId>(i);
    if (placement.space != Space::kArena) continue;
    blocks.push_back({placement.offset, placement.offset + value_bytes(program.graph.value(id)), lives[i], id});
  }
  std::ranges::stable_sort(blocks, {}, [](const Block& b) { return b.life.first; });
  return blocks;
}

/// Tensors that are alive at the same time must not overlap. Goes through the steps with the set of what is alive, so
/// that a million tensors in one place take no longer than elsewhere.
void check_overlaps(const Program& program, const std::vector<Block>& blocks, const std::string& name) {
  std::map<uint64_t, const Block*> alive;  // by begin; they do not overlap
  std::multimap<int, const Block*> ends;   // by last step
  for (const Block& block : blocks) {
    while (!ends.empty() && ends.begin()->first < block.life.first) {
      alive.erase(ends.begin()->second->begin);
      ends.erase(ends.begin());
    }
    if (block.begin == block.end) continue;
    const auto next = alive.lower_bound(block.begin);
    const Block* other = next != alive.end() && next->first < block.end ? next->second : nullptr;
    if (next != alive.begin() && std::prev(next)->second->end > block.begin) other = std::prev(next)->second;
    if (other != nullptr)
      bad_input("{}: tensors '{}' and '{}' overlap at offset {} of the arena", name,
                program.graph.value(other->id).name, program.graph.value(block.id).name,
                std::max(block.begin, other->begin));
    alive.emplace(block.begin, &block);
    ends.emplace(block.life.last, &block);
  }
}

/// The arena must hold its tensors, and no more: a small file must not ask for much memory.
void check_arena(const Program& program, const std::string& name) {
  const std::vector<Block> blocks = arena_blocks(program);
  uint64_t end = 0;
  for (const Block& block : blocks) end = std::max(end, block.end);
  if (program.arena_bytes > aligned_bytes(end))
    bad_input("{}: the arena of {} bytes is larger than its tensors, which end at {}", name, program.arena_bytes, end);
  check_overlaps(program, blocks, name);
}

/// The caller's tensors, one each, with the images of all micro-batches.
void check_ends(const Program& program, const std::vector<ir::ValueId>& ids, Space space, const std::string& name) {
  for (size_t i = 0; i < ids.size(); ++i) {
    const Placement& placement = program.placements[static_cast<size_t>(ids[i])];
    if (placement.space != space || placement.offset != i)
      bad_input("{}: '{}' is not placed as the caller's tensor that it is", name, program.graph.value(ids[i]).name);
    const ir::Value& value = program.graph.value(ids[i]);
    if (program.micro_batches < 1 ||
        (program.micro_batches > 1 && (value.shape->empty() || value.shape->front() < 1 ||
                                       program.micro_batches > ops::kMaxElements / value.shape->front())))
      bad_input("{}: '{}' of shape {} for {} micro-batches", name, value.name, shape_text(*value.shape),
                program.micro_batches);
    value_bytes(whole_value(program, ids[i]));
  }
}

void check_node(const Program& program, const ir::Node& node, const std::string& name) {
  check_inferred(program, node, name);
  if (node.outputs[0] == ir::kNoValue) bad_input("{}: step '{}' has no output", name, node.name);
  for (ir::ValueId id : node.outputs)
    if (id != ir::kNoValue && program.placements[static_cast<size_t>(id)].space == Space::kNone)
      bad_input("{}: step '{}' writes '{}', which lies nowhere", name, node.name, program.graph.value(id).name);
}

}  // namespace

void infer_layouts(ir::Graph& graph) {
  for (size_t i = 0; i < graph.value_count(); ++i) value_bytes(graph.value(static_cast<ir::ValueId>(i)));
  std::vector<bool> is_open(graph.value_count(), false);  // only its readers tell how what a Transpose makes lies
  for (const ir::Node& node : graph.nodes) {
    const ops::Card& card = ops::card_of(node);
    if (card.layout == ops::LayoutRule::kDeclared)
      for (ir::ValueId id : node.outputs)
        if (id != ir::kNoValue) is_open[static_cast<size_t>(id)] = true;
    if (card.layout != ops::LayoutRule::kAttributes) continue;
    const ops::MapLayouts layouts = ops::MapLayouts::of(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      if (id == ir::kNoValue || !is_open[static_cast<size_t>(id)] || graph.value(id).shape->size() != 4) continue;
      if (card.slot(i) == ops::Slot::kMap) graph.value(id).layout = layouts.input;
      if (card.slot(i) == ops::Slot::kResidual) graph.value(id).layout = layouts.output;
    }
  }
  for (const ir::Node& node : graph.nodes) {
    const std::vector<ops::Inferred> inferred = inferred_outputs(graph, node);
    for (size_t i = 0; i < node.outputs.size() && i < inferred.size(); ++i)
      if (node.outputs[i] != ir::kNoValue && inferred[i].layout)
        graph.value(node.outputs[i]).layout = *inferred[i].layout;
  }
}

uint64_t weight_bytes(std::span<const Program> plans) {
  std::set<std::pair<const std::byte*, size_t>> places;
  uint64_t sum = 0;
  for (const Program& program : plans)
    for (size_t i = 0; i < program.graph.value_count(); ++i) {
      const Tensor* constant = program.graph.constant(static_cast<ir::ValueId>(i));
      if (constant != nullptr && places.emplace(constant->bytes().data(), constant->byte_size()).second)
        sum += constant->byte_size();
    }
  return sum;
}

uint64_t value_bytes(const ir::Value& value) {
  const auto count = value.shape ? checked_numel(*value.shape) : std::nullopt;
  // Without its zeros the shape must be possible too: shape inference adds and multiplies dimensions one by one.
  Shape others = value.shape.value_or(Shape{});
  std::erase(others, 0);
  const auto limit = checked_numel(others);
  if (!count || !limit || *limit > static_cast<uint64_t>(ops::kMaxElements))
    bad_input("tensor '{}' has no static shape of a possible size", value.name);
  return *count * dtype_size(value.dtype);
}

ir::Value whole_value(const Program& program, ir::ValueId id) {
  ir::Value value = program.graph.value(id);
  if (program.micro_batches > 1) value.shape->front() *= program.micro_batches;
  return value;
}

std::vector<Lifetime> lifetimes(const ir::Graph& graph) {
  std::vector<Lifetime> lives(graph.value_count());
  const auto extend = [&](ir::ValueId id, int step) {
    if (id == ir::kNoValue) return;
    Lifetime& life = lives[static_cast<size_t>(id)];
    if (life.first < 0) life.first = step;
    life.last = std::max(life.last, step);
  };
  for (size_t step = 0; step < graph.nodes.size(); ++step) {
    for (ir::ValueId id : graph.nodes[step].inputs) extend(id, static_cast<int>(step));
    for (ir::ValueId id : graph.nodes[step].outputs) extend(id, static_cast<int>(step));
  }
  for (ir::ValueId id : graph.outputs) extend(id, static_cast<int>(graph.nodes.size()));
  return lives;
}

void verify_program(const Program& program, const std::string& name) {
  ir::verify(program.graph);
  if (program.placements.size() != program.graph.value_count())
    bad_input("{}: {} placements for {} tensors", name, program.placements.size(), program.graph.value_count());
  for (size_t i = 0; i < program.graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    value_bytes(program.graph.value(id));
    check_placement(program, id, name);
  }
  check_ends(program, program.graph.inputs, Space::kInput, name);
  check_ends(program, program.graph.outputs, Space::kOutput, name);
  for (const ir::Node& node : program.graph.nodes) check_node(program, node, name);
  check_arena(program, name);
}

namespace {

using Tensors = std::vector<ir::ValueId>;

std::vector<Shape> input_shapes(const Program& program) {
  std::vector<Shape> shapes;
  for (ir::ValueId id : program.graph.inputs) shapes.push_back(*whole_value(program, id).shape);
  return shapes;
}

void check_alike(const Program& first, const Program& other, Tensors ir::Graph::*list, const std::string& name) {
  const Tensors &a = first.graph.*list, &b = other.graph.*list;
  if (a.size() != b.size()) bad_input("{}: {} inputs or outputs, and {} in the first plan", name, b.size(), a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const ir::Value &x = first.graph.value(a[i]), &y = other.graph.value(b[i]);
    if (x.name != y.name || x.dtype != y.dtype || x.shape->size() != y.shape->size())
      bad_input("{}: '{}' is not the tensor '{}' of the first plan", name, y.name, x.name);
  }
}

}  // namespace

void verify_plans(std::span<const Program> plans, const std::string& name) {
  if (plans.empty() || plans.size() > kMaxPlans) bad_input("{}: {} plans, not 1 to {}", name, plans.size(), kMaxPlans);
  std::set<std::vector<Shape>> shapes;
  for (size_t i = 0; i < plans.size(); ++i) {
    const std::string label = plans.size() > 1 ? fmt::format("{}: plan {}", name, i) : name;
    verify_program(plans[i], label);
    if (plans[i].target != plans[0].target)
      bad_input("{}: for the target '{}', and the first plan for '{}'", label, plans[i].target, plans[0].target);
    check_alike(plans[0], plans[i], &ir::Graph::inputs, label);
    check_alike(plans[0], plans[i], &ir::Graph::outputs, label);
    if (!shapes.insert(input_shapes(plans[i])).second)
      bad_input("{}: a second plan for the same shapes of inputs", label);
  }
}

}  // namespace effdet::artifact
