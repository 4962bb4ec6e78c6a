// ai.effdet::Mix: attributes, inference, reference kernel, card.
#include "ops/fused/mix.h"

#include "ops/fused/maps.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Inferred> infer_mix(const InferContext& c) {
  const auto a = MixAttributes::of(c.node);
  if (a.weights.size() != c.inputs.size())
    node_error(c.node, "attribute 'weights' does not hold one number for each of {} inputs", c.inputs.size());
  const Dims first = dims_of(known_shape(c, 0, 4), a.layout);
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    const Dims other = dims_of(known_shape(c, i, 4), a.layout);
    if (c.dtype(i) != c.dtype(0)) node_error(c.node, "inputs of two types");
    if (other.batch != first.batch || other.channels != first.channels)
      node_error(c.node, "inputs of the shapes {} and {}", shape_text(*c.shape(0)), shape_text(*c.shape(i)));
  }
  return {{one_type(c), Dims{first.batch, first.channels, a.height, a.width}.shape(a.layout)}};
}

void evaluate_mix(const EvalContext& c) {
  const auto a = MixAttributes::of(c.node);
  const Dims out = dims_of(c.output().shape(), a.layout);
  Tensor y(DType::kF32, out.shape(Layout::kPlain));
  const auto target = y.mutable_data<float>();
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor x = input_nchw(c, i, a.layout);
    const Dims in = dims_of(x.shape(), Layout::kPlain);
    const auto source = x.data<float>();
    size_t at = 0;
    for (int64_t plane = 0; plane < out.batch * out.channels; ++plane)
      for (int64_t row = 0; row < out.height; ++row)
        for (int64_t column = 0; column < out.width; ++column, ++at) {
          const int64_t from_row = row * in.height / out.height, from_column = column * in.width / out.width;
          target[at] +=
              a.weights[i] * source[static_cast<size_t>((plane * in.height + from_row) * in.width + from_column)];
        }
  }
  for (float& value : target) value = activate(a.activation, value);
  write_output(c, y, a.layout);
}

int64_t mix_products(const CostContext& c) { return c.elements(c.outputs[0]) * static_cast<int64_t>(c.inputs.size()); }

}  // namespace

MixAttributes MixAttributes::of(const ir::Node& node) {
  MixAttributes a{.weights = {}, .activation = activation_of(node), .layout = one_layout(node)};
  const ir::Attribute* weights = node.find("weights");
  const auto* values = weights != nullptr ? std::get_if<std::vector<float>>(weights) : nullptr;
  if (values == nullptr) node_error(node, "attribute 'weights' is no list of floats");
  a.weights = *values;
  const std::vector<int64_t> size = bounded_ints(node, "size", {1, 1}, 1, 1 << 16);
  a.height = size[0], a.width = size[1];
  return a;
}

std::span<const Operator> fused_mix_operators() {
  static constexpr Slot kSlots[] = {Slot::kMap};  // any number of them
  static constexpr Card kCard{.batch = Batch::kByImage,
                              .slots = kSlots,
                              .map_types = kMapTypes,
                              .layout = LayoutRule::kAttributes,
                              .absorbs = Absorbs::kActivation,
                              .heavy = true,
                              .products = mix_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Mix", 1, kMaxMixInputs, infer_mix, evaluate_mix, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
