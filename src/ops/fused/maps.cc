// Checks of maps, and maps as ONNX's operators take them.
#include "ops/fused/maps.h"

#include <algorithm>

namespace effdet::ops {

std::vector<int64_t> bounded_ints(const ir::Node& node, std::string_view attribute, std::vector<int64_t> otherwise,
                                  int64_t low, int64_t high) {
  const size_t count = otherwise.size();
  std::vector<int64_t> values = node.get_ints(attribute, std::move(otherwise));
  if (values.size() != count) node_error(node, "attribute '{}' has {} values, not {}", attribute, values.size(), count);
  for (int64_t value : values)
    if (value < low || value > high) node_error(node, "attribute '{}' has the value {}", attribute, value);
  return values;
}

void require_shape(const InferContext& c, size_t i, const Shape& shape, DType dtype) {
  if (!c.has(i)) return;
  if (c.dtype(i) != dtype) node_error(c.node, "input {} is {}, not {}", i, dtype_name(c.dtype(i)), dtype_name(dtype));
  if (c.shape(i) && *c.shape(i) != shape)
    node_error(c.node, "input {} has the shape {}, not {}", i, shape_text(*c.shape(i)), shape_text(shape));
}

void require_inputs(const InferContext& c, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (!c.has(i)) node_error(c.node, "input {} is absent", i);
}

const Shape& known_shape(const InferContext& c, size_t i, size_t rank) {
  const auto impossible = [](int64_t dim) { return dim < 1 || dim > kMaxExtent; };
  if (!c.shape(i) || c.shape(i)->size() != rank || std::ranges::any_of(*c.shape(i), impossible))
    node_error(c.node, "input {} has no known shape of {} dimensions between 1 and {}", i, rank, kMaxExtent);
  return *c.shape(i);
}

namespace {

/// "float32, bfloat16 or uint8".
std::string names_of(std::span<const DType> types) {
  std::string text;
  for (size_t i = 0; i < types.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 < types.size() ? ", " : " or ", dtype_name(types[i]));
  return text;
}

}  // namespace

DType map_type(const InferContext& c, size_t i, std::span<const DType> types) {
  const DType dtype = c.dtype(i);
  if (std::ranges::find(types, dtype) == types.end())
    node_error(c.node, "input {} is {}, not {}", i, dtype_name(dtype), names_of(types));
  return dtype;
}

std::optional<DType> output_type_of(const ir::Node& node) {
  if (node.find("output_type") == nullptr) return std::nullopt;
  const std::string name = node.get_string("output_type", "");
  for (const DType dtype : kCodeMaps)
    if (name == dtype_name(dtype)) return dtype;
  node_error(node, "output_type '{}' is not {}", name, names_of(kCodeMaps));
}

DType one_type(const InferContext& c, std::span<const DType> types) {
  const DType dtype = map_type(c, 0, types);
  if (output_type_of(c.node).value_or(dtype) != dtype) node_error(c.node, "the output's type is not the input's");
  return dtype;
}

Tensor input_nchw(const Tensor& map, Layout layout) {
  const Tensor x = map.to(DType::kF32);
  return layout == Layout::kNhwc ? to_nchw(x) : x;
}

Tensor input_nchw(const EvalContext& c, size_t i, Layout layout) { return input_nchw(c.input(i), layout); }

void write_output(const EvalContext& c, const Tensor& y, Layout layout) {
  const Tensor laid = (layout == Layout::kNhwc ? to_nhwc(y) : y).to(c.output().dtype());
  std::ranges::copy(laid.bytes(), c.output().mutable_bytes().begin());
}

}  // namespace effdet::ops
