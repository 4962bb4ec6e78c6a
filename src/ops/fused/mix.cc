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
  const DType type = one_type(c, kCodeMaps);
  if (!a.x.empty() && a.x.size() != c.inputs.size())
    node_error(c.node, "{} scales for {} inputs", a.x.size(), c.inputs.size());
  require_quantization(c.node, "x", type, !a.x.empty());
  require_quantization(c.node, "y", type, a.y.has_value());
  if (a.y) require_rounding(c.node, {a.activation, {}});
  return {{type, Dims{first.batch, first.channels, a.height, a.width}.shape(a.layout)}};
}

void evaluate_mix(const EvalContext& c) {
  const auto a = MixAttributes::of(c.node);
  const Dims out = dims_of(c.output().shape(), a.layout);
  Tensor y(DType::kF32, out.shape(Layout::kPlain));
  const auto target = y.mutable_data<float>();
  std::optional<Requantizer> requantizer;
  if (a.y) requantizer.emplace(a.activation, *a.y);
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor x = input_nchw(c, i, a.layout);
    const Dims in = dims_of(x.shape(), Layout::kPlain);
    const auto source = x.data<float>();
    const auto zero = static_cast<float>(requantizer ? a.x[i].zero_point : 0);
    const float factor = requantizer ? requantizer->multiplier(a.weights[i] * a.x[i].scale) : a.weights[i];
    size_t at = 0;
    for (int64_t plane = 0; plane < out.batch * out.channels; ++plane)
      for (int64_t row = 0; row < out.height; ++row)
        for (int64_t column = 0; column < out.width; ++column, ++at) {
          const int64_t from_row = row * in.height / out.height, from_column = column * in.width / out.width;
          const float value = source[static_cast<size_t>((plane * in.height + from_row) * in.width + from_column)];
          const float term = factor * (value - zero);
          target[at] = i == 0 ? term : target[at] + term;
        }
  }
  for (float& value : target) value = requantizer ? requantizer->code(value) : activate(a.activation, value);
  write_output(c, y, a.layout);
}

int64_t mix_products(const CostContext& c) { return c.elements(c.outputs[0]) * static_cast<int64_t>(c.inputs.size()); }

}  // namespace

MixAttributes MixAttributes::of(const ir::Node& node) {
  MixAttributes a{.weights = {},
                  .activation = activation_of(node),
                  .layout = one_layout(node),
                  .x = quantizations_of(node, "x"),
                  .y = quantization_of(node, "y")};
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
                              .map_types = kCodeMaps,
                              .layout = LayoutRule::kAttributes,
                              .absorbs = Absorbs::kActivation,
                              .heavy = true,
                              .products = mix_products};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Mix", 1, kMaxMixInputs, infer_mix, evaluate_mix, kCard}};
  return kOperators;
}

}  // namespace effdet::ops
