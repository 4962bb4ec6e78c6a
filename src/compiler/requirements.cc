// What a graph must fulfil to be compiled, and the errors that say what to do.
#include "compiler/requirements.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "ops/op.h"
#include "passes/rewrite.h"

namespace effdet::compiler {
namespace {

bool is_fixed(int64_t dim) { return dim >= 1; }

/// "x.1:1,3,512,512": what an input's shape may be, as --input_shape takes it. One sample, and images of 512 pixels.
std::string example_shape(const ir::Value& input) {
  const Shape declared = input.shape.value_or(Shape{-1, 3, -1, -1});
  std::string text = input.name;
  for (size_t i = 0; i < declared.size(); ++i) {
    const bool is_side = declared.size() == 4 && i >= 2;
    text += fmt::format("{}{}", i == 0 ? ':' : ',', is_fixed(declared[i]) ? declared[i] : is_side ? 512 : 1);
  }
  return text;
}

}  // namespace

void require_static_shapes(const ir::Graph& graph) {
  std::vector<std::string> examples, free;
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& value = graph.value(id);
    if (value.shape && std::ranges::all_of(*value.shape, is_fixed)) continue;
    free.push_back(fmt::format("'{}' ({})", value.name, value.shape ? shape_text(*value.shape) : "unknown"));
    examples.push_back(example_shape(value));
  }
  if (!free.empty())
    bad_input("the shape of {} {} is free, where -1 or 0 stands; give one, as in --input_shape=\"{}\"",
              free.size() == 1 ? "input" : "inputs", fmt::join(free, ", "), fmt::join(examples, ";"));
}

void require_known_sizes(const ir::Graph& graph) {
  const auto is_known = [&](ir::ValueId id) { return id == ir::kNoValue || passes::is_static(graph.value(id).shape); };
  for (const ir::Node& node : graph.nodes)
    if (std::ranges::all_of(node.inputs, is_known) && !std::ranges::all_of(node.outputs, is_known))
      bad_input(
          "node '{}' ({}): how many values it gives depends on the image, and of what is made of them the most is not "
          "known, which a compiled model needs; take a fixed number of boxes after it, as in boxes[keep[:100]], export "
          "without suppression, or compile what is before it with --out_nodes",
          node.name, node.op);
}

void require_supported(const ir::Graph& graph) {
  try {  // operators that are not known may follow what is wanted
    ops::require_supported(graph);
  } catch (const Error& error) {
    fail(error.code(), "{}; --out_nodes compiles what is before it", error.what());
  }
}

}  // namespace effdet::compiler
