#include <map>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "ops/fused.h"
#include "ops/window.h"
#include "passes/spatial_pad.h"

namespace effdet::compiler {
namespace {

/// Packs each constant once, however many nodes share it (the heads share weights over all levels).
class Packer {
 public:
  explicit Packer(ir::Graph& graph) : graph_(graph) {}

  /// `joined` groups become one.
  ir::ValueId conv_weights(ir::ValueId id, int64_t group, int64_t joined) {
    const std::string suffix = joined == 1 ? "_packed" : "_packed_by_" + std::to_string(joined);
    return once(id, suffix, [&](const Tensor& weights) {
      return ops::pack_conv_weights(joined == 1 ? weights : joined_groups(weights, group, joined));
    });
  }
  ir::ValueId depthwise_weights(ir::ValueId id) { return once(id, "_packed_depthwise", ops::pack_depthwise_weights); }

  /// The bias (zeros where id is absent), padded to `count` values.
  ir::ValueId bias(ir::ValueId id, const std::string& owner, int64_t count) {
    const auto pad = [count](const Tensor& source) {
      Tensor padded(DType::kF32, {count});
      std::ranges::copy(source.data<float>(), padded.mutable_data<float>().begin());
      return padded;
    };
    if (id == ir::kNoValue) return graph_.add_constant(owner + "_zero_bias", Tensor(DType::kF32, {count}));
    // Only what needs it is padded: a depthwise and a dense layer of as many channels may share a bias.
    return graph_.constant(id)->numel() == count ? id : once(id, "_padded", pad);
  }

 private:
  /// Weights [o, i, kh, kw] of `group` groups as those of group / joined, zero where an output does not read an input.
  static Tensor joined_groups(const Tensor& weights, int64_t group, int64_t joined) {
    const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
    Tensor wide(DType::kF32, {out, joined * in, weights.dim(2), weights.dim(3)});
    const auto from = weights.data<float>();
    const auto to = wide.mutable_data<float>();
    for (int64_t o = 0; o < out; ++o) {
      const int64_t member = o / (out / group) % joined;  // the output's group among those that are joined
      std::copy_n(from.begin() + o * in * taps, in * taps, to.begin() + (o * joined + member) * in * taps);
    }
    return wide;
  }

  template <typename F>
  ir::ValueId once(ir::ValueId id, const std::string& suffix, F&& pack) {
    auto [entry, is_new] = packed_.try_emplace({id, suffix}, ir::kNoValue);
    if (is_new) {
      const std::string name = graph_.value(id).name + suffix;
      entry->second = graph_.add_constant(name, pack(*graph_.constant(id)));
    }
    return entry->second;
  }

  ir::Graph& graph_;
  std::map<std::pair<ir::ValueId, std::string>, ir::ValueId> packed_;
};

/// kernel_shape, strides and pads of a 2-d window, or nothing where it is dilated, not 2-d or beyond the fused limits.
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

/// How many neighbouring groups make one whose outputs fill whole panels; 0 where none do, or only more than are worth
/// their zeros.
int64_t groups_to_join(int64_t group, int64_t out) {
  constexpr int64_t kMostJoined = 16;
  for (int64_t joined = 1; joined <= std::min(group, kMostJoined); ++joined)
    if (group % joined == 0 && (joined == group || out / group * joined % ops::kPanelChannels == 0)) return joined;
  return 0;
}

void fuse_conv(ir::Graph& graph, Packer& packer, ir::Node& node) {
  const Tensor* weights = graph.constant(node.inputs[1]);
  const ir::ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : ir::kNoValue;
  if (weights == nullptr || weights->dtype() != DType::kF32 || weights->rank() != 4) return;
  if (bias != ir::kNoValue && graph.constant(bias) == nullptr) return;
  const int64_t out = weights->dim(0), in = graph.value(node.inputs[0]).shape->at(1), group = node.get_int("group", 1);
  const bool depthwise = group == in && out == in && weights->dim(1) == 1 && in > 1;
  const int64_t joined = groups_to_join(group, out);
  if (joined == 0 && !depthwise) return;
  auto attributes = window_attributes(graph, node, {weights->dim(2), weights->dim(3)});
  if (!attributes) return;
  if (depthwise) {
    become_fused(node, "DepthwiseConv",
                 {node.inputs[0], packer.depthwise_weights(node.inputs[1]), packer.bias(bias, node.name, out)},
                 *attributes);
    return;
  }
  if (out > ops::kMaxOutChannels || in / group * joined * weights->dim(2) * weights->dim(3) > ops::kMaxExtent) return;
  (*attributes)["out_channels"] = out;
  if (joined != group) (*attributes)["group"] = group / joined;
  const int64_t padded = (out + ops::kPanelChannels - 1) / ops::kPanelChannels * ops::kPanelChannels;
  become_fused(
      node, "Conv",
      {node.inputs[0], packer.conv_weights(node.inputs[1], group, joined), packer.bias(bias, node.name, padded)},
      *attributes);
}

/// The Pad with zeros before a pool that does not pad itself; null where there is none.
const ir::Node* zero_pad_before(const ir::Graph& graph, const ir::Uses& uses, const ir::Node& pool) {
  const int producer = uses.producer(pool.inputs[0]);
  if (producer < 0) return nullptr;
  const ir::Node& pad = graph.nodes[static_cast<size_t>(producer)];
  const auto spatial = passes::spatial_pad(graph, pad);
  if (!spatial || spatial->value != 0 || !is_static_map(graph.value(pad.inputs[0]))) return nullptr;
  const auto own = pool.get_ints("pads", {});
  const bool pads_itself = std::ranges::any_of(own, [](int64_t n) { return n != 0; });
  return pads_itself || pool.get_string("auto_pad", "NOTSET") != "NOTSET" ? nullptr : &pad;
}

void fuse_max_pool(const ir::Graph& graph, const ir::Uses& uses, ir::Node& node) {
  if (node.outputs.size() != 1 || node.get_int("ceil_mode", 0) != 0) return;
  ir::Node pool = node;
  const ir::Node* pad = zero_pad_before(graph, uses, node);
  if (pad != nullptr) {
    pool.inputs[0] = pad->inputs[0];
    pool.attributes["pads"] = passes::spatial_pad(graph, *pad)->pads;
  }
  auto attributes = window_attributes(graph, pool, pool.get_ints("kernel_shape", {}));
  if (!attributes) return;
  if (pad != nullptr) (*attributes)["zero_padding"] = int64_t{1};
  become_fused(node, "MaxPool", pool.inputs, *attributes);
}

}  // namespace

void fuse_windows(ir::Graph& graph) {
  Packer packer(graph);
  const ir::Uses uses(graph);
  for (ir::Node& node : graph.nodes) {
    if (!node.is("Conv") && !node.is("MaxPool")) continue;
    if (!is_static_map(graph.value(node.inputs[0]))) continue;
    if (node.is("Conv")) {
      fuse_conv(graph, packer, node);
    } else {
      fuse_max_pool(graph, uses, node);
    }
  }
  graph.compact();
}

}  // namespace effdet::compiler
