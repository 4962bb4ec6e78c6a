// QuantizeLinear and DequantizeLinear of maps, with one scale a tensor, become ai.effdet::Quantize and Dequantize,
// whose codes are uint8; and rounding that changes nothing goes: of what only moved numbers that were rounded likewise.
#include <cmath>
#include <map>
#include <set>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "ops/fused/quantization.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

/// Codes of int8 become uint8 by this much.
constexpr int32_t kShift = 128;

/// The type of the codes of a node with one constant scale and zero point of 8 bits; nothing for others.
struct Rounding {
  DType codes;
  ops::Quantization quantization;  ///< of uint8
};

std::optional<Rounding> rounding_of(const ir::Graph& graph, const ir::Node& node) {
  const Tensor* scale = graph.constant(node.inputs[1]);
  if (scale == nullptr || scale->numel() != 1 || scale->dtype() != DType::kF32) return std::nullopt;
  const float value = scale->data<float>()[0];
  if (!ops::is_scale(value)) return std::nullopt;
  const DType codes = graph.value(node.is("QuantizeLinear") ? node.outputs[0] : node.inputs[0]).dtype;
  if (codes != DType::kU8 && codes != DType::kI8) return std::nullopt;
  int32_t zero_point = 0;
  if (node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue) {
    const Tensor* zero = graph.constant(node.inputs[2]);
    if (zero == nullptr || zero->numel() != 1) return std::nullopt;
    zero_point = zero->to(DType::kI32).data<int32_t>()[0];
  }
  return Rounding{codes, {value, zero_point + (codes == DType::kI8 ? kShift : 0)}};
}

class Taker {
 public:
  explicit Taker(ir::Graph& graph) : graph_(graph), uses_(graph) {}

  void run() {
    for (ir::Node& node : graph_.nodes) {
      if (node.is("QuantizeLinear")) take_quantize(node);
      if (node.is("DequantizeLinear")) take_dequantize(node);
    }
  }

 private:
  void take_quantize(ir::Node& node) {
    const ir::ValueId x = node.inputs[0], y = node.outputs[0];
    if (graph_.value(x).dtype != DType::kF32 || graph_.is_given(x)) return;
    const auto rounding = rounding_of(graph_, node);
    if (!rounding || (rounding->codes == DType::kI8 && !only_dequantized(y))) return;
    become_fused(node, "Quantize", {x}, {});
    ops::set_quantization(node, "y", rounding->quantization);
    graph_.value(y).dtype = DType::kU8;
    taken_.insert(y);
  }

  void take_dequantize(ir::Node& node) {
    const ir::ValueId x = node.inputs[0];
    if (graph_.is_given(x) || graph_.value(node.outputs[0]).dtype != DType::kF32) return;
    const bool taken = taken_.contains(x);
    // What was int8 counts as uint8 by now, and the node's zero point is still an int8.
    const bool shifted = taken && node.inputs.size() > 2 && graph_.constant(node.inputs[2]) != nullptr &&
                         graph_.constant(node.inputs[2])->dtype() == DType::kI8;
    auto rounding = rounding_of(graph_, node);
    if (!rounding || rounding->codes != DType::kU8) return;
    if (shifted) rounding->quantization.zero_point += kShift;
    become_fused(node, "Dequantize", {x}, {});
    ops::set_quantization(node, "x", rounding->quantization);
  }

  /// Whether all that reads such codes can be taken.
  bool only_dequantized(ir::ValueId codes) const {
    return !uses_.is_output(codes) && std::ranges::all_of(uses_.readers(codes), [&](int reader) {
      const ir::Node& node = graph_.nodes[static_cast<size_t>(reader)];
      // Without a zero point of its own nothing would say that the node's codes were int8.
      return node.is("DequantizeLinear") && node.inputs[0] == codes && node.inputs.size() > 2 &&
             node.inputs[2] != ir::kNoValue && graph_.value(node.outputs[0]).dtype == DType::kF32 &&
             rounding_of(graph_, node);
    });
  }

  ir::Graph& graph_;
  const ir::Uses uses_;
  std::set<ir::ValueId> taken_;  // the codes of nodes that were taken
};

/// Values that lie on the grid of a scale and a zero point, so that rounding to it again changes nothing.
void drop_repeated_rounding(ir::Graph& graph) {
  std::map<ir::ValueId, ops::Quantization> grid;  // of floats
  std::map<ir::ValueId, ir::ValueId> numbers;     // by codes: the floats that were on their grid before
  passes::Replacements replacements(graph);
  for (const ir::Node& node : graph.nodes) {
    if (is_fused(node, "Dequantize")) {
      const ops::Quantization x = *ops::quantization_of(node, "x");
      grid.emplace(node.outputs[0], x);
      if (const auto found = numbers.find(node.inputs[0]); found != numbers.end() && grid.at(found->second) == x)
        replacements.replace(node.outputs[0], found->second);
    } else if (is_fused(node, "Quantize")) {
      const auto found = grid.find(node.inputs[0]);
      if (found != grid.end() && found->second == *ops::quantization_of(node, "y"))
        numbers.emplace(node.outputs[0], found->first);
    } else if (moves_codes(node)) {
      const auto first = grid.find(node.inputs[0]);
      const auto is_on_it = [&](size_t i) {
        const auto found = grid.find(node.inputs[i]);
        return found != grid.end() && found->second == first->second;
      };
      bool all = first != grid.end();
      for (size_t i = 1; all && i < moved_inputs(node); ++i) all = is_on_it(i);
      if (all) grid.emplace(node.outputs[0], first->second);
    }
  }
  for (const ir::ValueId output : graph.outputs) replacements.replace(output, ir::kNoValue);  // have names of their own
  replacements.apply(graph);
  graph.compact();
}

}  // namespace

void take_quantization(ir::Graph& graph) {
  Taker(graph).run();
  drop_repeated_rounding(graph);
}

}  // namespace effdet::compiler
