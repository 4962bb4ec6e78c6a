// A batch as several turns of a program for fewer images: the arena is that of one turn, and maps stay in the cache.
#include <algorithm>
#include <string_view>

#include "base/thread_pool.h"
#include "compiler/passes.h"
#include "ops/util.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

// Arena of the images of one turn, where one image alone takes less: layers of small maps leave threads idle, maps
// beyond the last-level cache gain nothing from company.
constexpr uint64_t kTurnBytes = 8 << 20;
// Threads that one image keeps busy.
constexpr int kThreadsPerImage = 4;

/// Operators that treat each image of a batch by itself, whatever their attributes say.
constexpr std::string_view kByImage[] = {"Sigmoid",     "Relu",      "Clip",      "Identity",    "Cast",
                                         "HardSigmoid", "HardSwish", "LeakyRelu", "Tanh",        "Exp",
                                         "Sqrt",        "Neg",       "Abs",       "Softplus",    "Mish",
                                         "Conv",        "MaxPool",   "Resize",    "AveragePool", "GlobalAveragePool",
                                         "Reshape",     "Flatten",   "Squeeze",   "Unsqueeze",   "Dropout",
                                         "Upsample"};
/// Those that treat elements of their inputs pair by pair: constants must be the same for each image.
constexpr std::string_view kByElement[] = {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum"};
/// Those that work along an axis, by the default of which they leave images alone.
constexpr std::string_view kAlongAxis[] = {"Concat", "Split", "Softmax"};
constexpr std::string_view kFused[] = {
    "Aipp", "Conv",    "DepthwiseConv", "DepthwisePointwise", "ExpandDepthwise", "SqueezeExcite",
    "Mix",  "MaxPool", "Activation",    "AveragePool",        "ConvTranspose",   "MatMul"};

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool leads(const ir::Graph& graph, ir::ValueId id, int64_t batch) {
  const Shape& shape = *graph.value(id).shape;
  return !shape.empty() && shape[0] == batch;
}

/// Whether a constant means the same to each image of a map of such a rank.
bool is_common(const Shape& constant, size_t rank) {
  return constant.size() < rank || (constant.size() == rank && constant[0] == 1);
}

bool keeps_images_apart(const ir::Graph& graph, const ir::Node& node, int64_t batch) {
  const size_t rank = graph.value(node.outputs[0]).shape->size();
  const auto is_led = [&](ir::ValueId id) {
    return id == ir::kNoValue || graph.constant(id) != nullptr || leads(graph, id, batch);
  };
  if (!std::ranges::all_of(node.inputs, is_led) || !std::ranges::all_of(node.outputs, is_led)) return false;
  const bool by_element = node.domain == ir::kFusedDomain ? node.op == "Elementwise" : is_among(kByElement, node.op);
  if (node.domain == ir::kFusedDomain && !by_element) return is_among(kFused, node.op);
  if (!node.domain.empty() && !by_element) return false;
  if (is_among(kByImage, node.op)) return graph.constant(node.inputs[0]) == nullptr;
  if (by_element)
    return std::ranges::all_of(node.inputs, [&](ir::ValueId id) {
      const Shape& shape = *graph.value(id).shape;
      return graph.constant(id) != nullptr ? is_common(shape, rank) : shape.size() == rank;
    });
  if (is_among(kAlongAxis, node.op)) {
    const int64_t axis = node.get_int("axis", node.op == "Softmax" ? -1 : 0);
    const auto is_map = [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) == nullptr; };
    return axis % static_cast<int64_t>(rank) != 0 && (node.op != "Concat" || std::ranges::all_of(node.inputs, is_map));
  }
  // The result still begins with the batch, so that is not what was reduced.
  if (node.is("ReduceMean")) return node.get_int("keepdims", 1) == 1;
  if (node.is("Transpose")) {
    const auto order = node.get_ints("perm", {});
    return !order.empty() && order[0] == 0;
  }
  return false;
}

}  // namespace

int64_t images_of_turn(const artifact::Program& program) {
  const ir::Graph& graph = program.graph;
  const int64_t batch = graph.value(graph.inputs.at(0)).shape->at(0);
  const auto is_led = [&](ir::ValueId id) { return leads(graph, id, batch) && graph.constant(id) == nullptr; };
  const auto is_apart = [&](const ir::Node& node) { return keeps_images_apart(graph, node, batch); };
  if (!std::ranges::all_of(graph.outputs, is_led) || !std::ranges::all_of(graph.nodes, is_apart)) return batch;
  const int64_t fit =
      static_cast<int64_t>(kTurnBytes * static_cast<uint64_t>(batch) / std::max<uint64_t>(1, program.arena_bytes));
  const int64_t busy = (default_thread_count() + kThreadsPerImage - 1) / kThreadsPerImage;
  int64_t images = std::clamp<int64_t>(std::max(fit, busy), 1, batch);
  while (batch % images != 0) --images;
  return images;
}

}  // namespace effdet::compiler
