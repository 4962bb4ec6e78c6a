// Conv and MaxPool become the fused operators, with packed weights.
#include <cstring>
#include <map>

#include "compiler/match.h"
#include "compiler/passes.h"
#include "compiler/quantization.h"
#include "compiler/window_attributes.h"
#include "ops/fused/depthwise_conv.h"
#include "ops/fused/packing.h"
#include "ops/window.h"
#include "passes/spatial_pad.h"

namespace effdet::compiler {
namespace {

/// Packs each constant once, however many nodes share it (the heads share weights over all levels). Whole panels may be
/// many times what they hold: where the budget does not allow it, there is no packed constant (kNoValue).
class Packer {
 public:
  Packer(ir::Graph& graph, const ir::Uses& uses, passes::RewriteBudget& budget)
      : graph_(graph), uses_(uses), budget_(budget) {}

  /// `joined` groups become one.
  ir::ValueId conv_weights(ir::ValueId id, int64_t group, int64_t joined) {
    const std::string suffix = joined == 1 ? "_packed" : "_packed_by_" + std::to_string(joined);
    const Tensor& weights = *graph_.constant(id);
    const int64_t out = std::max<int64_t>(1, weights.dim(0));
    const int64_t size = weights.numel() / out * joined * ops::padded_to_panels(out);
    return once(id, suffix, size,
                [&] { return ops::pack_conv_weights(joined == 1 ? weights : joined_groups(weights, group, joined)); });
  }
  ir::ValueId depthwise_weights(ir::ValueId id) {
    const Tensor& weights = *graph_.constant(id);
    return once(id, "_packed_depthwise", weights.numel(), [&] { return ops::pack_depthwise_weights(weights); });
  }

  /// The bias (zeros where id is absent), padded to `count` values.
  ir::ValueId bias(ir::ValueId id, const std::string& owner, int64_t count) {
    if (id == ir::kNoValue) return zeros(owner + "_zero_bias", count);
    const Tensor& source = *graph_.constant(id);
    // Only what needs it is padded: a depthwise and a dense layer of as many channels may share a bias.
    if (source.numel() == count) return id;
    return once(id, "_padded", count, [&] { return padded(source, count, 0); });
  }

  /// The scales of int8 weights. What fills up the last panel is multiplied by nothing.
  ir::ValueId scales(const std::vector<float>& values, const std::string& owner, int64_t count) {
    if (!budget_.change(static_cast<uint64_t>(count) * sizeof(float))) return ir::kNoValue;
    const Tensor scales = Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
    return graph_.add_constant(owner + "_weight_scale", padded(scales, count, 1));
  }

 private:
  static Tensor padded(const Tensor& values, int64_t count, float filler) {
    Tensor result(DType::kF32, {count});
    std::ranges::fill(result.mutable_data<float>(), filler);
    std::ranges::copy(values.data<float>(), result.mutable_data<float>().begin());
    return result;
  }

  /// Weights [o, i, kh, kw] of `group` groups as those of group / joined, zero where an output does not read an input.
  static Tensor joined_groups(const Tensor& weights, int64_t group, int64_t joined) {
    const int64_t out = weights.dim(0), in = weights.dim(1), taps = weights.dim(2) * weights.dim(3);
    Tensor wide(weights.dtype(), {out, joined * in, weights.dim(2), weights.dim(3)});
    const auto row = static_cast<size_t>(in * taps) * dtype_size(weights.dtype());
    for (int64_t o = 0; o < out; ++o) {
      const int64_t member = o / (out / group) % joined;  // the output's group among those that are joined
      std::memcpy(wide.mutable_bytes().data() + static_cast<size_t>(o * joined + member) * row,
                  weights.bytes().data() + static_cast<size_t>(o) * row, row);
    }
    return wide;
  }

  /// A constant that each owner has under a name of its own; their bytes are the same.
  ir::ValueId zeros(std::string name, int64_t count) {
    auto [bytes, is_new] = zeros_.try_emplace(count);
    if (is_new) {
      if (!budget_.change(static_cast<uint64_t>(count) * sizeof(float))) return ir::kNoValue;
      bytes->second = Tensor(DType::kF32, {count});
    }
    return bytes->second.empty() ? ir::kNoValue : graph_.add_constant(std::move(name), bytes->second);
  }

  /// The constant as `pack` makes it, of `size` values. It stands for the old one, which goes with its last reader.
  template <typename F>
  ir::ValueId once(ir::ValueId id, const std::string& suffix, int64_t size, F&& pack) {
    auto [entry, is_new] = packed_.try_emplace({id, suffix}, ir::kNoValue);
    auto [left, is_unread] = reads_left_.try_emplace(id, uses_.readers(id).size() + uses_.is_output(id));
    const uint64_t added = is_new ? static_cast<uint64_t>(size) * dtype_size(graph_.value(id).dtype) : 0;
    const uint64_t removed = left->second == 1 ? graph_.constant(id)->byte_size() : 0;
    if (!budget_.change(added, removed)) {
      packed_.erase(entry);
      return ir::kNoValue;
    }
    --left->second;
    if (is_new) entry->second = graph_.add_constant(graph_.value(id).name + suffix, pack());
    return entry->second;
  }

  ir::Graph& graph_;
  const ir::Uses& uses_;
  passes::RewriteBudget& budget_;
  std::map<std::pair<ir::ValueId, std::string>, ir::ValueId> packed_;
  std::map<ir::ValueId, size_t> reads_left_;
  std::map<int64_t, Tensor> zeros_;
};

/// How many neighbouring groups make one whose outputs fill whole panels; 0 where none do, or only more than are worth
/// their zeros.
int64_t groups_to_join(int64_t group, int64_t out) {
  constexpr int64_t kMostJoined = 16;
  for (int64_t joined = 1; joined <= std::min(group, kMostJoined); ++joined)
    if (group % joined == 0 && (joined == group || out / group * joined % ops::kPanelChannels == 0)) return joined;
  return 0;
}

void fuse_conv(ir::Graph& graph, const ir::Uses& uses, Packer& packer, ir::Node& node) {
  const auto codes = quantized_weights(graph, uses, node.inputs[1]);
  const ir::ValueId source = codes ? codes->codes : node.inputs[1];
  const Tensor* weights = graph.constant(source);
  const ir::ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : ir::kNoValue;
  if (weights == nullptr || weights->rank() != 4 || (!codes && weights->dtype() != DType::kF32)) return;
  if (bias != ir::kNoValue && (graph.constant(bias) == nullptr || graph.constant(bias)->dtype() != DType::kF32)) return;
  const int64_t out = weights->dim(0), in = graph.value(node.inputs[0]).shape->at(1), group = node.get_int("group", 1);
  const bool depthwise = group == in && out == in && weights->dim(1) == 1 && in > 1;
  const int64_t joined = groups_to_join(group, out);
  if (joined == 0 && !depthwise) return;
  auto attributes = window_attributes(graph, node, {weights->dim(2), weights->dim(3)});
  if (!attributes) return;
  if (!depthwise) {
    if (out > ops::kMaxOutChannels || in / group * joined * weights->dim(2) * weights->dim(3) > ops::kMaxExtent) return;
    (*attributes)["out_channels"] = out;
    if (joined != group) (*attributes)["group"] = group / joined;
  }
  const int64_t count = depthwise ? out : ops::padded_to_panels(out);
  std::vector<ir::ValueId> inputs{
      node.inputs[0], depthwise ? packer.depthwise_weights(source) : packer.conv_weights(source, group, joined)};
  if (inputs[1] == ir::kNoValue) return;
  inputs.push_back(packer.bias(bias, node.name, count));
  if (inputs[2] == ir::kNoValue) return;
  if (codes) {
    inputs.resize(
        depthwise ? size_t{ops::DepthwiseConvAttributes::kWeightScale} : size_t{ops::ConvAttributes::kWeightScale},
        ir::kNoValue);
    inputs.push_back(packer.scales(codes->scales, node.name, count));
    if (inputs.back() == ir::kNoValue) return;
  }
  become_fused(node, depthwise ? "DepthwiseConv" : "Conv", inputs, *attributes);
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
  if (node.outputs.size() != 1) return;
  ir::Node pool = node;
  const ir::Node* pad = zero_pad_before(graph, uses, node);
  if (pad != nullptr) {
    pool.inputs[0] = pad->inputs[0];
    pool.attributes["pads"] = passes::spatial_pad(graph, *pad)->pads;
  }
  auto attributes = pool_attributes(graph, pool);
  if (!attributes) return;
  if (pad != nullptr) (*attributes)["zero_padding"] = int64_t{1};
  become_fused(node, "MaxPool", pool.inputs, *attributes);
}

}  // namespace

void fuse_windows(ir::Graph& graph, passes::RewriteBudget& budget) {
  const ir::Uses uses(graph);
  Packer packer(graph, uses, budget);
  for (ir::Node& node : graph.nodes) {
    if (!node.is("Conv") && !node.is("MaxPool")) continue;
    if (!is_static_map(graph.value(node.inputs[0]))) continue;
    if (node.is("Conv")) {
      fuse_conv(graph, uses, packer, node);
    } else {
      fuse_max_pool(graph, uses, node);
    }
  }
  graph.compact();
}

}  // namespace effdet::compiler
