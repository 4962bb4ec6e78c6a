// A batch as micro-batches, one after the other: the arena is that of one micro-batch, and maps stay in the cache.
#include <algorithm>

#include "base/thread_pool.h"
#include "compiler/passes.h"
#include "ops/op.h"

namespace effdet::compiler {
namespace {

// Arena of a micro-batch, where one image alone takes less: layers of small maps leave threads idle, maps
// beyond the last-level cache gain nothing from company.
constexpr uint64_t kMicroBatchBytes = 8 << 20;
// Threads that one image keeps busy.
constexpr int kThreadsPerImage = 4;

bool leads(const ir::Graph& graph, ir::ValueId id, int64_t batch) {
  const Shape& shape = *graph.value(id).shape;
  return !shape.empty() && shape[0] == batch;
}

/// Whether a constant means the same to each image of a map of such a rank.
bool is_common(const Shape& constant, size_t rank) {
  return constant.size() < rank || (constant.size() == rank && constant[0] == 1);
}

bool keeps_images_apart(const ir::Graph& graph, const ir::Node& node, int64_t batch) {
  const auto is_constant = [&](ir::ValueId id) { return graph.constant(id) != nullptr; };
  const auto is_led = [&](ir::ValueId id) { return id == ir::kNoValue || is_constant(id) || leads(graph, id, batch); };
  if (!std::ranges::all_of(node.inputs, is_led) || !std::ranges::all_of(node.outputs, is_led)) return false;
  const ops::Card& card = ops::card_of(node);
  if (card.keeps_batch != nullptr && !card.keeps_batch(node)) return false;
  const size_t rank = graph.value(node.outputs[0]).shape->size();
  // A constant in the place of a map has a value for each image.
  const auto maps_are_computed = [&] {
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if ((i == 0 || card.slot(i) == ops::Slot::kMap || card.slot(i) == ops::Slot::kResidual) &&
          is_constant(node.inputs[i]))
        return false;
    return true;
  };
  switch (card.batch) {
    case ops::Batch::kByImage:
      return maps_are_computed();
    case ops::Batch::kByElement:
      return std::ranges::all_of(node.inputs, [&](ir::ValueId id) {
        const Shape& shape = *graph.value(id).shape;
        return is_constant(id) ? is_common(shape, rank) : shape.size() == rank;
      });
    case ops::Batch::kAlongAxis:
      return node.get_int("axis", card.default_axis) % static_cast<int64_t>(rank) != 0 && maps_are_computed();
    case ops::Batch::kMixes:
    case ops::Batch::kUnset:
      break;
  }
  return false;
}

}  // namespace

int64_t images_of_micro_batch(const artifact::Program& program) {
  const ir::Graph& graph = program.graph;
  const int64_t batch = graph.value(graph.inputs.at(0)).shape->at(0);
  const auto is_led = [&](ir::ValueId id) { return leads(graph, id, batch) && graph.constant(id) == nullptr; };
  const auto is_apart = [&](const ir::Node& node) { return keeps_images_apart(graph, node, batch); };
  if (!std::ranges::all_of(graph.outputs, is_led) || !std::ranges::all_of(graph.nodes, is_apart)) return batch;
  const int64_t fit = static_cast<int64_t>(kMicroBatchBytes * static_cast<uint64_t>(batch) /
                                           std::max<uint64_t>(1, program.arena_bytes));
  const int64_t busy = (default_thread_count() + kThreadsPerImage - 1) / kThreadsPerImage;
  int64_t images = std::clamp<int64_t>(std::max(fit, busy), 1, batch);
  while (batch % images != 0) --images;
  return images;
}

}  // namespace effdet::compiler
