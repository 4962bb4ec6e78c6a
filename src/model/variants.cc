#include "model/variants.h"

namespace effdet::model {
namespace {

constexpr auto kDs = BlockType::kDepthwiseSeparable;
constexpr auto kIr = BlockType::kInvertedResidual;

// EfficientNet B0; the lite models have the same stages.
constexpr StageSpec kEfficientNetStages[] = {
    // repeats, kernel, stride, expansion, channels
    {kDs, 1, 3, 1, 1, 16},  {kIr, 2, 3, 2, 6, 24},  {kIr, 2, 5, 2, 6, 40},  {kIr, 3, 3, 2, 6, 80},
    {kIr, 3, 5, 1, 6, 112}, {kIr, 4, 5, 2, 6, 192}, {kIr, 1, 3, 1, 6, 320},
};

/// Ported from TensorFlow: its SAME padding and batch norm epsilon.
constexpr BackboneSpec tf_backbone(double width, double depth) {
  return {.stages = kEfficientNetStages, .width = width, .depth = depth};
}

/// Trained in PyTorch: symmetric padding and PyTorch's default epsilon.
constexpr BackboneSpec plain(BackboneSpec backbone) {
  backbone.padding = Padding::kSymmetric;
  backbone.bn_epsilon = 1e-5f;
  return backbone;
}

constexpr BackboneSpec lite_backbone(double width, double depth) {
  BackboneSpec backbone = tf_backbone(width, depth);
  backbone.se_ratio = 0;
  backbone.fixed_ends = true;
  backbone.activation = Activation::kRelu6;
  return backbone;
}

constexpr BackboneSpec kB0 = tf_backbone(1.0, 1.0), kB1 = tf_backbone(1.0, 1.1), kB2 = tf_backbone(1.1, 1.2),
                       kB3 = tf_backbone(1.2, 1.4), kB4 = tf_backbone(1.4, 1.8), kB5 = tf_backbone(1.6, 2.2),
                       kB6 = tf_backbone(1.8, 2.6), kB7 = tf_backbone(2.0, 3.1);
constexpr BackboneSpec kLite0 = lite_backbone(1.0, 1.0), kLite1 = lite_backbone(1.0, 1.1),
                       kLite2 = lite_backbone(1.1, 1.2), kLite3 = lite_backbone(1.2, 1.4),
                       kLite4 = lite_backbone(1.4, 1.8);

/// A TensorFlow port; the numbers are FPN channels, FPN cells and head repeats.
constexpr Variant tf(std::string_view name, int size, int channels, int cells, int repeats, BackboneSpec backbone) {
  return {.name = name,
          .image_height = size,
          .image_width = size,
          .fpn_channels = channels,
          .fpn_cell_repeats = cells,
          .box_class_repeats = repeats,
          .backbone = backbone};
}

/// Input scaled to [-1, 1].
constexpr Variant half_normalised(Variant variant, uint8_t fill) {
  variant.mean = variant.std = {0.5, 0.5, 0.5};
  variant.fill = {fill, fill, fill};
  return variant;
}

/// Weights of the AdvProp training: filled with black.
constexpr Variant ap(std::string_view name, int size, int channels, int cells, int repeats, BackboneSpec backbone) {
  return half_normalised(tf(name, size, channels, cells, repeats, backbone), 0);
}

/// The large models add up their inputs: effdet calls it more stable in training.
constexpr Variant summing(Variant variant, double anchor_scale, int max_level = 7) {
  variant.fusion = Fusion::kSum;
  variant.anchor_scale = anchor_scale;
  variant.max_level = max_level;
  return variant;
}

/// Filled with the mean: round(127.5) is 128, to even.
constexpr Variant lite(std::string_view name, int size, int channels, int cells, int repeats, BackboneSpec backbone,
                       double anchor_scale) {
  Variant variant = half_normalised(tf(name, size, channels, cells, repeats, backbone), 128);
  variant.activation = Activation::kRelu6;
  return summing(variant, anchor_scale);
}

/// Made for PyTorch all through.
constexpr Variant symmetric(std::string_view name, int size, int channels, int cells, int repeats,
                            BackboneSpec backbone) {
  Variant variant = tf(name, size, channels, cells, repeats, plain(backbone));
  variant.padding = Padding::kSymmetric;
  variant.redundant_bias = false;
  return variant;
}

/// effdet gives efficientdet_lite0 a PyTorch backbone under a TensorFlow-padded pyramid without redundant biases.
constexpr Variant plain_lite0() {
  Variant variant = tf("efficientdet_lite0", 384, 64, 3, 3, plain(kLite0));
  variant.activation = Activation::kRelu6;
  variant.redundant_bias = false;
  variant.head_bn_level_first = true;
  return variant;
}

constexpr Variant kVariants[] = {
    tf("tf_efficientdet_d0", 512, 64, 3, 3, kB0),
    tf("tf_efficientdet_d1", 640, 88, 4, 3, kB1),
    tf("tf_efficientdet_d2", 768, 112, 5, 3, kB2),
    tf("tf_efficientdet_d3", 896, 160, 6, 4, kB3),
    tf("tf_efficientdet_d4", 1024, 224, 7, 4, kB4),
    tf("tf_efficientdet_d5", 1280, 288, 7, 4, kB5),
    summing(tf("tf_efficientdet_d6", 1280, 384, 8, 5, kB6), 4.0),
    summing(tf("tf_efficientdet_d7", 1536, 384, 8, 5, kB6), 5.0),
    summing(tf("tf_efficientdet_d7x", 1536, 384, 8, 5, kB7), 4.0, 8),
    ap("tf_efficientdet_d0_ap", 512, 64, 3, 3, kB0),
    ap("tf_efficientdet_d1_ap", 640, 88, 4, 3, kB1),
    ap("tf_efficientdet_d2_ap", 768, 112, 5, 3, kB2),
    ap("tf_efficientdet_d3_ap", 896, 160, 6, 4, kB3),
    ap("tf_efficientdet_d4_ap", 1024, 224, 7, 4, kB4),
    ap("tf_efficientdet_d5_ap", 1280, 288, 7, 4, kB5),
    symmetric("efficientdet_d0", 512, 64, 3, 3, kB0),
    symmetric("efficientdet_d1", 640, 88, 4, 3, kB1),
    symmetric("efficientdet_d2", 768, 112, 5, 3, kB2),
    symmetric("efficientdet_d3", 896, 160, 6, 4, kB3),
    // effdet leaves the padding and biases of these two at TensorFlow's; only their backbones are PyTorch's.
    tf("efficientdet_d4", 1024, 224, 7, 4, plain(kB4)),
    tf("efficientdet_d5", 1280, 288, 7, 4, plain(kB5)),
    plain_lite0(),
    lite("tf_efficientdet_lite0", 320, 64, 3, 3, kLite0, 3.0),
    lite("tf_efficientdet_lite1", 384, 88, 4, 3, kLite1, 3.0),
    lite("tf_efficientdet_lite2", 448, 112, 5, 3, kLite2, 3.0),
    lite("tf_efficientdet_lite3", 512, 160, 6, 4, kLite3, 4.0),
    lite("tf_efficientdet_lite3x", 640, 200, 6, 4, kLite3, 3.0),
    lite("tf_efficientdet_lite4", 640, 224, 7, 4, kLite4, 4.0),
};

}  // namespace

std::span<const Variant> variants() { return kVariants; }

const Variant* find_variant(std::string_view name) {
  for (const Variant& variant : kVariants)
    if (variant.name == name) return &variant;
  return nullptr;
}

}  // namespace effdet::model
