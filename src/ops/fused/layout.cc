// The attributes `layout` and `output_layout`, and transposes between NCHW and NHWC.
#include "ops/fused/layout.h"

namespace effdet::ops {
namespace {

Layout layout_named(const ir::Node& node, const std::string& name) {
  if (name != "nchw" && name != "nhwc") node_error(node, "layout '{}' is neither nchw nor nhwc", name);
  return name == "nhwc" ? Layout::kNhwc : Layout::kPlain;
}

std::string name_of(Layout layout) { return layout == Layout::kNhwc ? "nhwc" : "nchw"; }

/// Calls copy(from, to) with the flat indices of every element of dims in the NCHW and the NHWC order.
template <typename F>
void for_layouts(const Dims& d, F&& copy) {
  const int64_t plane = d.height * d.width;
  for (int64_t b = 0; b < d.batch; ++b)
    for (int64_t c = 0; c < d.channels; ++c)
      for (int64_t p = 0; p < plane; ++p) copy((b * d.channels + c) * plane + p, (b * plane + p) * d.channels + c);
}

}  // namespace

Shape Dims::shape(Layout layout) const {
  return layout == Layout::kNhwc ? Shape{batch, height, width, channels} : Shape{batch, channels, height, width};
}

Dims dims_of(const Shape& shape, Layout layout) {
  if (shape.size() != 4) bad_input("an activation of shape {} has not 4 dimensions", shape_text(shape));
  return layout == Layout::kNhwc ? Dims{shape[0], shape[3], shape[1], shape[2]}
                                 : Dims{shape[0], shape[1], shape[2], shape[3]};
}

MapLayouts MapLayouts::of(const ir::Node& node) {
  const std::string input = node.get_string("layout", "nchw");
  return {layout_named(node, input), layout_named(node, node.get_string("output_layout", input))};
}

Layout one_layout(const ir::Node& node) {
  const MapLayouts layouts = MapLayouts::of(node);
  if (layouts.input != layouts.output) node_error(node, "the output's layout is not the input's");
  return layouts.input;
}

void set_layouts(ir::Node& node, const MapLayouts& layouts) {
  node.attributes["layout"] = name_of(layouts.input);
  if (layouts.output != layouts.input) node.attributes["output_layout"] = name_of(layouts.output);
}

Tensor to_nhwc(const Tensor& x) {
  const Dims dims = dims_of(x.shape(), Layout::kPlain);
  Tensor y(DType::kF32, dims.shape(Layout::kNhwc));
  const auto from = x.data<float>();
  const auto to = y.mutable_data<float>();
  for_layouts(dims,
              [&](int64_t nchw, int64_t nhwc) { to[static_cast<size_t>(nhwc)] = from[static_cast<size_t>(nchw)]; });
  return y;
}

Tensor to_nchw(const Tensor& x) {
  const Dims dims = dims_of(x.shape(), Layout::kNhwc);
  Tensor y(DType::kF32, dims.shape(Layout::kPlain));
  const auto from = x.data<float>();
  const auto to = y.mutable_data<float>();
  for_layouts(dims,
              [&](int64_t nchw, int64_t nhwc) { to[static_cast<size_t>(nchw)] = from[static_cast<size_t>(nhwc)]; });
  return y;
}

}  // namespace effdet::ops
