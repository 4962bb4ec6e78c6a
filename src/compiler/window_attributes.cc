// The windows of ONNX's convolutions and pools as fused operators have them.
#include "compiler/window_attributes.h"

#include <algorithm>

#include "ops/fused/window.h"
#include "ops/window.h"

namespace effdet::compiler {

std::optional<std::map<std::string, ir::Attribute>> window_attributes(const ir::Graph& graph, const ir::Node& node,
                                                                      std::vector<int64_t> kernel) {
  const Shape& x = *graph.value(node.inputs[0]).shape;
  const ops::Window w = ops::window_of(node, std::move(kernel), {x[2], x[3]}).window;
  if (w.kernel.size() != 2 || w.dilation != std::vector<int64_t>{1, 1}) return std::nullopt;
  // A window that lies wholly in the padding has no fast kernel.
  for (size_t axis = 0; axis < 2; ++axis)
    if (w.pad_begin[axis] >= w.kernel[axis] || w.pad_end[axis] >= w.kernel[axis] ||
        std::max(w.kernel[axis], w.stride[axis]) > ops::kMaxWindow)
      return std::nullopt;
  return std::map<std::string, ir::Attribute>{
      {"kernel_shape", w.kernel},
      {"strides", w.stride},
      {"pads", std::vector<int64_t>{w.pad_begin[0], w.pad_begin[1], w.pad_end[0], w.pad_end[1]}}};
}

std::optional<std::map<std::string, ir::Attribute>> pool_attributes(const ir::Graph& graph, const ir::Node& pool) {
  auto attributes = window_attributes(graph, pool, pool.get_ints("kernel_shape", {}));
  const auto& y = graph.value(pool.outputs[0]).shape;
  if (!attributes || pool.get_int("ceil_mode", 0) == 0) return attributes;
  if (!y || y->size() != 4) return std::nullopt;
  const Shape& x = *graph.value(pool.inputs[0]).shape;
  auto& pads = std::get<std::vector<int64_t>>(attributes->at("pads"));
  const auto& kernel = std::get<std::vector<int64_t>>(attributes->at("kernel_shape"));
  const auto& strides = std::get<std::vector<int64_t>>(attributes->at("strides"));
  for (size_t axis = 0; axis < 2; ++axis) {
    pads[axis + 2] =
        std::max<int64_t>(0, ((*y)[axis + 2] - 1) * strides[axis] + kernel[axis] - x[axis + 2] - pads[axis]);
    if (pads[axis + 2] >= kernel[axis]) return std::nullopt;
  }
  return attributes;
}

}  // namespace effdet::compiler
