// Multiplies weights and biases of a convolution by a scale per channel, and adds a shift.
#include "passes/conv_affine.h"

#include <algorithm>
#include <cmath>

#include "passes/rewrite.h"

namespace effdet::passes {
namespace {

bool is_float_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* tensor = graph.constant(id);
  return tensor != nullptr && tensor->dtype() == DType::kF32;
}

/// Weights [out, in / groups, ...]; transposed: [in, out / groups, ...].
Tensor scaled_weights(const Tensor& weights, const std::vector<double>& scale, bool transposed, int64_t groups) {
  Tensor result(DType::kF32, weights.shape());
  const auto in = weights.data<float>();
  const auto out = result.mutable_data<float>();
  const int64_t rows = weights.dim(0), columns = weights.dim(1);
  const int64_t taps = rows * columns == 0 ? 0 : weights.numel() / (rows * columns);
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i) / (columns * taps), column = static_cast<int64_t>(i) / taps % columns;
    const int64_t channel = transposed ? row / (rows / groups) * columns + column : row;
    out[i] = static_cast<float>(in[i] * scale[static_cast<size_t>(channel)]);
  }
  return result;
}

Tensor shifted_bias(const Tensor* bias, const ChannelAffine& affine) {
  Tensor result(DType::kF32, {static_cast<int64_t>(affine.scale.size())});
  auto out = result.mutable_data<float>();
  for (size_t k = 0; k < out.size(); ++k) {
    const double old = bias == nullptr ? 0 : bias->data<float>()[k];
    out[k] = static_cast<float>(old * affine.scale[k] + affine.shift[k]);
  }
  return result;
}

/// A constant that broadcasts per channel over [N, channels, spatial...] and does not enlarge it, as one value a
/// channel.
std::optional<std::vector<double>> per_channel(const Tensor* tensor, int64_t channels, size_t rank) {
  if (tensor == nullptr || tensor->dtype() != DType::kF32 || tensor->rank() > rank) return std::nullopt;
  const size_t skip = rank - tensor->rank();  // dimensions that broadcasting puts in front
  for (size_t i = 0; i < tensor->rank(); ++i)
    if (tensor->dim(i) != 1 && (i + skip != 1 || tensor->dim(i) != channels)) return std::nullopt;
  const auto data = tensor->data<float>();
  std::vector<double> values(data.begin(), data.end());
  values.resize(static_cast<size_t>(channels), values.empty() ? 0 : values[0]);
  return values;
}

/// The node as a scale and a shift of its variable input; constant - x and constant / x are something else.
std::optional<ChannelAffine> affine_of(const ir::Node& node, std::vector<double> values, bool constant_first) {
  const std::vector<double> ones(values.size(), 1), zeros(values.size(), 0);
  if (node.is("Mul")) return ChannelAffine{values, zeros};
  if (node.is("Add")) return ChannelAffine{ones, values};
  if (constant_first) return std::nullopt;
  if (node.is("Sub")) {
    for (double& value : values) value = -value;
    return ChannelAffine{ones, values};
  }
  if (!node.is("Div") || std::ranges::find(values, 0.0) != values.end()) return std::nullopt;
  for (double& value : values) value = 1 / value;
  return ChannelAffine{values, zeros};
}

bool is_foldable_conv(const ir::Graph& graph, const ir::Node* node) {
  if (node == nullptr || (!node->is("Conv") && !node->is("ConvTranspose"))) return false;
  if (!is_float_constant(graph, node->inputs[1])) return false;
  const int64_t groups = node->get_int("group", 1), rows = graph.constant(node->inputs[1])->dim(0);
  if (groups < 1 || rows % groups != 0) return false;  // shape inference may not have seen it
  const bool has_bias = node->inputs.size() > 2 && node->inputs[2] != ir::kNoValue;
  return !has_bias || is_float_constant(graph, node->inputs[2]);
}

int64_t conv_channels(const ir::Graph& graph, const ir::Node& conv) {
  const Tensor& weights = *graph.constant(conv.inputs[1]);
  return conv.is("Conv") ? weights.dim(0) : weights.dim(1) * conv.get_int("group", 1);
}

}  // namespace

std::optional<ChannelAffine> batch_norm_affine(const ir::Graph& graph, const ir::Node& norm, int64_t channels) {
  const Tensor* parameters[4];  // gamma, beta, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = graph.constant(norm.inputs[i + 1]);
    if (parameters[i] == nullptr || parameters[i]->dtype() != DType::kF32 || parameters[i]->numel() != channels)
      return std::nullopt;
  }
  const double epsilon = norm.get_float("epsilon", 1e-5f);
  ChannelAffine affine;
  for (size_t k = 0; k < static_cast<size_t>(channels); ++k) {
    const auto at = [&](size_t i) { return static_cast<double>(parameters[i]->data<float>()[k]); };
    affine.scale.push_back(at(0) / std::sqrt(at(3) + epsilon));
    affine.shift.push_back(at(1) - at(2) * affine.scale.back());
  }
  return affine;
}

std::optional<ChannelAffine> elementwise_affine(const ir::Graph& graph, const ir::Node& node, size_t side,
                                                int64_t channels, size_t rank) {
  if (!node.domain.empty() || node.inputs.size() != 2) return std::nullopt;
  const auto values = per_channel(graph.constant(node.inputs[1 - side]), channels, rank);
  return values ? affine_of(node, *values, side == 1) : std::nullopt;
}

/// What with_content adds to the constants for a content of so many bytes.
uint64_t AffineFolder::added_bytes(ir::ValueId id, uint64_t bytes) const {
  return id != ir::kNoValue && uses_.sole_reader(id) >= 0 ? 0 : bytes;
}

/// Gives a constant input new content: in place where nobody else reads the constant, so that its name stays.
ir::ValueId AffineFolder::with_content(ir::ValueId id, Tensor tensor, const std::string& new_name) {
  if (id != ir::kNoValue && uses_.sole_reader(id) >= 0) {
    graph_.value(id).constant = std::move(tensor);
    return id;
  }
  return graph_.add_constant(names_.make(new_name), std::move(tensor));
}

/// Makes the Conv compute affine(conv(x)).
void AffineFolder::fold_into_conv(ir::Node& conv, const ChannelAffine& affine) {
  conv.inputs.resize(3, ir::kNoValue);
  Tensor weights = scaled_weights(*graph_.constant(conv.inputs[1]), affine.scale, conv.is("ConvTranspose"),
                                  conv.get_int("group", 1));
  Tensor bias = shifted_bias(graph_.constant(conv.inputs[2]), affine);
  conv.inputs[1] = with_content(conv.inputs[1], std::move(weights), conv.name + ".folded_weight");
  conv.inputs[2] = with_content(conv.inputs[2], std::move(bias), conv.name + ".folded_bias");
}

std::optional<SoleConvs> AffineFolder::sole_convs(ir::ValueId id) {
  SoleConvs found{.last = ir::sole_producer(graph_, uses_, id)};
  if (found.last == nullptr || (found.last->is("Concat") && found.last->get_int("axis", 0) != 1)) return std::nullopt;
  found.convs = ir::producers_before(graph_, uses_, *found.last);
  for (const ir::Node* conv : found.convs) {
    if (!is_foldable_conv(graph_, conv)) return std::nullopt;
    found.channels += conv_channels(graph_, *conv);
  }
  found.rank = graph_.constant(found.convs[0]->inputs[1])->rank();
  return found;
}

bool AffineFolder::fold(const SoleConvs& convs, const ChannelAffine& affine, ir::ValueId output) {
  uint64_t added = 0;
  for (const ir::Node* conv : convs.convs) {
    const ir::ValueId bias = conv->inputs.size() > 2 ? conv->inputs[2] : ir::kNoValue;
    added += added_bytes(conv->inputs[1], graph_.constant(conv->inputs[1])->byte_size()) +
             added_bytes(bias, static_cast<uint64_t>(conv_channels(graph_, *conv)) * sizeof(float));
  }
  if (!budget_.change(added)) return false;
  auto scale = affine.scale.begin(), shift = affine.shift.begin();
  for (ir::Node* conv : convs.convs) {
    const auto count = static_cast<std::ptrdiff_t>(conv_channels(graph_, *conv));
    fold_into_conv(*conv, {{scale, scale + count}, {shift, shift + count}});
    scale += count;
    shift += count;
  }
  convs.last->outputs[0] = output;
  return true;
}

}  // namespace effdet::passes
