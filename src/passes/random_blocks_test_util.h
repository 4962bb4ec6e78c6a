// Blocks of networks for random graphs: convolutions of all kinds, inverted bottlenecks, attention, shuffles, pyramids.
#pragma once

#include <algorithm>

#include "passes/graph_maker_test_util.h"

namespace effdet::passes {

/// Each function makes another map of one map, or gives it back where it does not fit.
class RandomBlocks : public GraphMaker {
 public:
  using GraphMaker::GraphMaker;

 protected:
  struct ConvShape {
    int64_t out, kernel = 1, group = 1, stride = 1, dilation = 1;
  };

  /// With as much padding as keeps the size at stride 1; more or less of it by one on one side, now and then.
  ir::ValueId conv_of(ir::ValueId x, const ConvShape& c) {
    List pads(4, c.dilation * (c.kernel - 1) / 2);
    const int64_t spread = c.dilation * (c.kernel - 1) + 1;
    if (c.kernel > 1 && chance(3)) pads[static_cast<size_t>(number(0, 3))] += pick({-1, 1});
    if (shape(x)[2] + pads[0] + pads[2] < spread || shape(x)[3] + pads[1] + pads[3] < spread) return x;
    std::vector<ir::ValueId> inputs{
        x, weights({c.out, channels(x) / c.group, c.kernel, c.kernel}, channels(x) / c.group * c.kernel * c.kernel)};
    if (chance(2)) inputs.push_back(constant(noise({c.out})));
    return node(
        "Conv", inputs,
        {{"group", c.group}, {"pads", pads}, {"strides", List(2, c.stride)}, {"dilations", List(2, c.dilation)}});
  }

  ir::ValueId conv(ir::ValueId x) {
    ConvShape c{.out = pick({2, 4, 8, 12, 16, 24}), .kernel = pick({1, 1, 3, 3, 5})};
    if (chance(3)) c.out = c.group = channels(x);  // depthwise
    if (c.group == 1 && channels(x) % 2 == 0 && chance(4)) c.group = 2;
    c.stride = pick({1, 1, 2});
    if (c.kernel == 3 && chance(5)) c.dilation = 2;
    return conv_of(x, c);
  }

  ir::ValueId conv_transpose(ir::ValueId x) {
    const int64_t group = channels(x) % 2 == 0 ? pick({1, 2}) : 1, kernel = pick({2, 3, 4}), stride = pick({1, 2});
    const int64_t pad = pick({0, 1}), more = stride == 2 ? pick({0, 1}) : 0;
    const Shape& dims = shape(x);
    if (dims[2] * stride > 24 || dims[3] * stride > 24) return x;
    for (const size_t axis : {2, 3})
      if ((dims[axis] - 1) * stride + kernel + more <= 2 * pad) return x;
    std::vector<ir::ValueId> inputs{x, weights({channels(x), pick({1, 2, 6}), kernel, kernel},
                                               channels(x) * kernel * kernel / stride / stride / group)};
    if (chance(2)) inputs.push_back(constant(noise({shape(inputs[1])[1] * group})));
    return node(
        "ConvTranspose", inputs,
        {{"group", group}, {"strides", List(2, stride)}, {"pads", List(4, pad)}, {"output_padding", List(2, more)}});
  }

  ir::ValueId batch_norm(ir::ValueId x) {
    std::vector<ir::ValueId> inputs{x};
    for (int i = 0; i < 3; ++i) inputs.push_back(constant(noise({channels(x)})));
    inputs.push_back(constant(noise({channels(x)}, 0.5f, 2)));
    return node("BatchNormalization", inputs);
  }

  ir::ValueId swish(ir::ValueId x) { return node("Mul", {x, node("Sigmoid", {x})}); }

  ir::ValueId activation(ir::ValueId x) {
    switch (number(0, 8)) {
      case 0:
      case 1:
      case 2:
        return swish(x);
      case 3:
        return node("LeakyRelu", {x}, {{"alpha", 0.1f}});
      case 4:
        return node("Clip", {x, constant(Tensor::scalar(0.0f)), constant(Tensor::scalar(6.0f))});
      case 5:
        return node("PRelu", {x, constant(noise({channels(x), 1, 1}))});
      case 6:
        return node("Mul", {x, node("HardSigmoid", {x}, {{"alpha", 1.0f / 6}})});
      default:
        return node(pick<const char*>({"Relu", "Sigmoid", "Tanh", "Softplus", "Elu"}), {x});
    }
  }

  ir::ValueId squeeze_excite(ir::ValueId x) {
    const ir::ValueId mean = chance(2) ? node("GlobalAveragePool", {x}) : with_axes("ReduceMean", x, {2, 3}, {}, 18);
    const ir::ValueId inner = activation(conv_of(mean, {.out = pick({1, 2, 4})}));
    return node("Mul", {x, node("Sigmoid", {conv_of(inner, {.out = channels(x)})})});
  }

  /// Expansion, depthwise convolution, squeeze-excite, projection, and the sum with what went in.
  ir::ValueId inverted_bottleneck(ir::ValueId x) {
    const int64_t width = std::min<int64_t>(channels(x) * pick({1, 2, 4}), 48);
    ir::ValueId y = swish(batch_norm(conv_of(x, {.out = width})));
    y = swish(
        batch_norm(conv_of(y, {.out = width, .kernel = pick({3, 5}), .group = width, .stride = pick({1, 1, 2})})));
    if (chance(2)) y = squeeze_excite(y);
    y = batch_norm(conv_of(y, {.out = channels(x)}));
    return shape(y) == shape(x) ? node("Add", {y, x}) : y;
  }

  ir::ValueId max_pool(ir::ValueId x) {
    const int64_t kernel = pick({2, 3});
    if (shape(x)[2] < kernel || shape(x)[3] < kernel) return x;
    return node(
        "MaxPool", {x},
        {{"kernel_shape", List(2, kernel)}, {"strides", List(2, pick({1, 2}))}, {"pads", List(4, pick({0, 1}))}});
  }

  ir::ValueId average_pool(ir::ValueId x) {
    if (shape(x)[2] < 3 || shape(x)[3] < 3) return x;
    return node("AveragePool", {x},
                {{"kernel_shape", List(2, pick({2, 3}))},
                 {"strides", List(2, pick({1, 2}))},
                 {"pads", List(4, pick({0, 1}))},
                 {"count_include_pad", pick({0, 1})}});
  }

  ir::ValueId resize(ir::ValueId x) {
    if (shape(x)[2] > 12 || shape(x)[3] > 12) return x;
    Attributes attributes{
        {"mode", pick<const char*>({"nearest", "linear"})},
        {"nearest_mode", "floor"},
        {"coordinate_transformation_mode", pick<const char*>({"asymmetric", "half_pixel", "align_corners"})}};
    const ir::ValueId none = graph_.opset < 13 ? constant(floats({0}, {})) : ir::kNoValue;
    if (chance(2)) return node("Resize", {x, none, constant(floats({4}, {1, 1, 2, 2}))}, attributes);
    return node("Resize", {x, none, none, list({shape(x)[0], channels(x), pick({3, 5, 12}), pick({2, 7})})},
                attributes);
  }

  /// Two halves of the channels, one of them changed, in the other order.
  ir::ValueId halves(ir::ValueId x) {
    if (channels(x) % 2 != 0) return x;
    const List sizes(2, channels(x) / 2);
    const auto parts = graph_.opset < 13 ? nodes("Split", {x}, {{"axis", int64_t{1}}, {"split", sizes}}, 2)
                                         : nodes("Split", {x, list(sizes)}, {{"axis", int64_t{1}}}, 2);
    return node("Concat", {activation(parts[1]), parts[0]}, {{"axis", int64_t{1}}});
  }

  ir::ValueId slice(ir::ValueId x) {
    const int64_t axis = pick({1, 2, 3}), size = shape(x)[static_cast<size_t>(axis)];
    if (size < 3) return x;
    return node("Slice", {x, list({pick({0, 1})}), list({pick({size, size - 1, int64_t{1} << 40})}), list({axis}),
                          list({pick({1, 2})})});
  }

  ir::ValueId shuffled_channels(ir::ValueId x) {
    const Shape dims = shape(x);
    if (dims[1] % 2 != 0) return x;
    const ir::ValueId apart = node("Reshape", {x, list({dims[0], 2, dims[1] / 2, dims[2], dims[3]})});
    return node("Reshape", {node("Transpose", {apart}, {{"perm", List{0, 2, 1, 3, 4}}}), list(dims)});
  }

  ir::ValueId depth_and_space(ir::ValueId x) {
    const Shape& dims = shape(x);
    if (dims[1] % 4 == 0 && dims[2] <= 12 && dims[3] <= 12 && chance(2))
      return node("DepthToSpace", {x}, {{"blocksize", int64_t{2}}, {"mode", pick<const char*>({"DCR", "CRD"})}});
    if (dims[1] > 12 || dims[2] % 2 != 0 || dims[3] % 2 != 0) return x;
    return node("SpaceToDepth", {x}, {{"blocksize", int64_t{2}}});
  }

  /// Pixels as rows of channels: normalized, multiplied, and pixels again.
  ir::ValueId tokens(ir::ValueId x) {
    const Shape dims = shape(x);
    ir::ValueId rows = rows_of(x);
    if (graph_.opset >= 17)
      rows = node("LayerNormalization", {rows, constant(noise({dims[1]})), constant(noise({dims[1]}))},
                  {{"epsilon", 0.1f}});
    const int64_t out = pick({2, 8, 20});
    rows = node("MatMul", {rows, weights({dims[1], out}, dims[1])});
    if (chance(2)) rows = node("Add", {constant(noise({out})), rows});
    if (chance(2)) rows = node("Sigmoid", {rows});
    return map_of(rows, {dims[0], out, dims[2], dims[3]});
  }

  /// Pixels that look at each other.
  ir::ValueId attention(ir::ValueId x) {
    const Shape dims = shape(x);
    if (dims[1] > 24 || dims[1] % 2 != 0 || dims[2] * dims[3] > 64) return x;
    const int64_t heads = 2, size = dims[1] / heads, length = dims[2] * dims[3];
    const auto projected = [&] { return node("MatMul", {rows_of(x), weights({dims[1], dims[1]}, dims[1])}); };
    const ir::ValueId q = projected(), k = projected(), v = projected();
    if (graph_.opset >= 23)
      return map_of(node("Attention", {q, k, v}, {{"q_num_heads", heads}, {"kv_num_heads", heads}}), dims);
    const auto apart = [&](ir::ValueId rows, List perm) {
      return node("Transpose", {node("Reshape", {rows, list({dims[0], length, heads, size})})},
                  {{"perm", std::move(perm)}});
    };
    ir::ValueId scores = node("MatMul", {apart(q, {0, 2, 1, 3}), apart(k, {0, 2, 3, 1})});
    scores = node("Softmax", {node("Mul", {scores, constant(Tensor::scalar(0.5f))})}, {{"axis", int64_t{3}}});
    const ir::ValueId mixed =
        node("Transpose", {node("MatMul", {scores, apart(v, {0, 2, 1, 3})})}, {{"perm", List{0, 2, 1, 3}}});
    return map_of(node("Reshape", {mixed, list({dims[0], length, dims[1]})}), dims);
  }

  ir::ValueId softmax(ir::ValueId x) {
    return node("Softmax", {x}, {{"axis", graph_.opset < 13 ? int64_t{3} : pick({1, 2, 3})}});
  }

 private:
  ir::ValueId rows_of(ir::ValueId x) {
    const Shape dims = shape(x);
    if (chance(2)) {
      const ir::ValueId flat = node("Reshape", {x, list({0, dims[1], -1})});
      return node("Transpose", {flat}, {{"perm", List{0, 2, 1}}});
    }
    return node("Reshape", {node("Transpose", {x}, {{"perm", List{0, 2, 3, 1}}}), list({0, -1, dims[1]})});
  }

  ir::ValueId map_of(ir::ValueId rows, const Shape& dims) {
    return node("Reshape", {node("Transpose", {rows}, {{"perm", List{0, 2, 1}}}), list(dims)});
  }
};

}  // namespace effdet::passes
