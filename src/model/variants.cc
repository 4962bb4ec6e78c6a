// The table of variants: backbones, pyramids, sizes and anchors.
#include "model/variants.h"

#include "effdet/checkpoint.h"

namespace effdet::model {
namespace {

constexpr auto kDs = BlockType::kDepthwiseSeparable;
constexpr auto kIr = BlockType::kInvertedResidual;
constexpr auto kEr = BlockType::kEdgeResidual;
constexpr auto kCn = BlockType::kConvolution;
constexpr auto kBn = BlockType::kBottleneck;
constexpr auto kSwish = Activation::kSwish, kRelu = Activation::kRelu, kLeaky = Activation::kLeakyRelu;

// EfficientNet B0; the lite models have the same stages.
constexpr StageSpec kEfficientNetStages[] = {
    // repeats, kernel, stride, expansion, channels
    {kDs, 1, 3, 1, 1, 16},  {kIr, 2, 3, 2, 6, 24},  {kIr, 2, 5, 2, 6, 40},  {kIr, 3, 3, 2, 6, 80},
    {kIr, 3, 5, 1, 6, 112}, {kIr, 4, 5, 2, 6, 192}, {kIr, 1, 3, 1, 6, 320},
};

constexpr StageSpec kMobileNetV2Stages[] = {
    {kDs, 1, 3, 1, 1, 16}, {kIr, 2, 3, 2, 6, 24},  {kIr, 3, 3, 2, 6, 32},  {kIr, 4, 3, 2, 6, 64},
    {kIr, 3, 3, 1, 6, 96}, {kIr, 3, 3, 2, 6, 160}, {kIr, 1, 3, 1, 6, 320},
};

constexpr StageSpec kMobileNetV3Stages[] = {
    {kDs, 1, 3, 1, 1, 16, 0, kRelu},
    {kIr, 1, 3, 2, 4, 24, 0, kRelu},
    {kIr, 1, 3, 1, 3, 24, 0, kRelu, true},
    {kIr, 3, 5, 2, 3, 40, 0.25, kRelu},
    {kIr, 1, 3, 2, 6, 80, 0},
    {kIr, 1, 3, 1, 2.5, 80, 0, {}, true},
    {kIr, 2, 3, 1, 2.3, 80, 0, {}, true},
    {kIr, 2, 3, 1, 6, 112, 0.25},
    {kIr, 3, 5, 2, 6, 160, 0.25},
    {kCn, 1, 1, 1, 1, 960},
};

constexpr StageSpec kMixNetStages[] = {
    // ..., squeeze-excite, activation, of the same stage, kernels, parts of the expansion and of the projection
    {kDs, 1, 3, 1, 1, 24, 0, {}},
    {kIr, 1, 3, 2, 6, 32, 0, {}, false, 3, 2, 2},
    {kIr, 1, 3, 1, 3, 32, 0, {}, true, 1, 2, 2},
    {kIr, 1, 3, 2, 6, 40, 0.5, kSwish, false, 4},
    {kIr, 3, 3, 1, 6, 40, 0.5, kSwish, true, 2, 2, 2},
    {kIr, 1, 3, 2, 6, 80, 0.25, kSwish, false, 3},
    {kIr, 3, 3, 1, 6, 80, 0.25, kSwish, true, 4, 2, 2},
    {kIr, 1, 3, 1, 6, 120, 0.5, kSwish},
    {kIr, 3, 3, 1, 3, 120, 0.5, kSwish, true, 4, 2, 2},
    {kIr, 1, 3, 2, 6, 200, 0.5, kSwish, false, 4},
    {kIr, 3, 3, 1, 6, 200, 0.5, kSwish, true, 4, 1, 2},
};

constexpr StageSpec kEdgeStages[] = {
    {kEr, 1, 3, 1, 4, 24, {}, {}, false, 1, 1, 1, 24},
    {kEr, 2, 3, 2, 8, 32},
    {kEr, 4, 3, 2, 8, 48},
    {kIr, 5, 5, 2, 8, 96},
    {kIr, 4, 5, 1, 8, 144},
    {kIr, 2, 5, 2, 8, 192},
};

// EfficientNet V2 S, and as timm's author had it before the original came out.
constexpr StageSpec kV2Stages[] = {
    {kCn, 2, 3, 1, 1, 24},  {kEr, 4, 3, 2, 4, 48, 0}, {kEr, 4, 3, 2, 4, 64, 0},
    {kIr, 6, 3, 2, 4, 128}, {kIr, 9, 3, 1, 6, 160},   {kIr, 15, 3, 2, 6, 256},
};
constexpr StageSpec kV2RwStages[] = {
    {kEr, 2, 3, 1, 1, 24, 0}, {kEr, 4, 3, 2, 4, 48, 0}, {kEr, 4, 3, 2, 4, 64, 0},
    {kIr, 6, 3, 2, 4, 128},   {kIr, 9, 3, 1, 6, 160},   {kIr, 15, 3, 2, 6, 272},
};

constexpr StageSpec kResNet50Stages[] = {
    {kBn, 3, 3, 1, 4, 64}, {kBn, 4, 3, 2, 4, 128}, {kBn, 6, 3, 2, 4, 256}, {kBn, 3, 3, 2, 4, 512}};

constexpr CrossStageSpec kCspResNet50Stages[] = {
    {3, 128, 1, 2, 0.5, 1}, {3, 256, 2, 2, 0.5, 1}, {5, 512, 2, 2, 0.5, 1}, {2, 1024, 2, 2, 0.5, 1}};
constexpr CrossStageSpec kCspResNeXt50Stages[] = {
    {3, 256, 1, 1, 1, 0.5}, {3, 512, 2, 1, 1, 0.5}, {5, 1024, 2, 1, 1, 0.5}, {2, 2048, 2, 1, 1, 0.5}};
constexpr CrossStageSpec kCspDarkNet53Stages[] = {{1, 64, 2, 2, 0.5, 1},
                                                  {2, 128, 2, 1, 1, 0.5},
                                                  {8, 256, 2, 1, 1, 0.5},
                                                  {8, 512, 2, 1, 1, 0.5},
                                                  {4, 1024, 2, 1, 1, 0.5}};

/// Ported from TensorFlow: its SAME padding and batch norm epsilon.
constexpr BackboneSpec tf_backbone(std::string_view name, double width, double depth) {
  return {.name = name, .stages = kEfficientNetStages, .width = width, .depth = depth};
}

/// Trained in PyTorch: symmetric padding and PyTorch's default epsilon. timm has the ports as tf_<name>.
constexpr BackboneSpec plain(BackboneSpec backbone) {
  if (backbone.name.starts_with("tf_")) backbone.name.remove_prefix(3);
  backbone.padding = Padding::kSymmetric;
  backbone.bn_epsilon = 1e-5f;
  return backbone;
}

constexpr BackboneSpec lite_backbone(std::string_view name, double width, double depth) {
  BackboneSpec backbone = tf_backbone(name, width, depth);
  backbone.se_ratio = 0;
  backbone.fixed_ends = true;
  backbone.activation = Activation::kRelu6;
  return backbone;
}

constexpr BackboneSpec mobile(std::string_view name, std::span<const StageSpec> stages, int stem, Activation activation,
                              double width = 1.0, double depth = 1.0) {
  return plain({.name = name,
                .stages = stages,
                .width = width,
                .depth = depth,
                .stem_channels = stem,
                .activation = activation});
}

constexpr BackboneSpec mobilenet_v2(std::string_view name, double width, double depth) {
  BackboneSpec backbone = mobile(name, kMobileNetV2Stages, 32, Activation::kRelu6, width, depth);
  backbone.se_ratio = 0;
  backbone.fixed_ends = true;
  return backbone;
}

constexpr BackboneSpec edge_backbone(std::string_view name, double depth) {
  BackboneSpec backbone = mobile(name, kEdgeStages, 32, kRelu, 1.0, depth);
  backbone.se_ratio = 0;
  return backbone;
}

constexpr BackboneSpec mobilenet_v3() {
  BackboneSpec backbone = mobile("mobilenetv3_large_100", kMobileNetV3Stages, 16, Activation::kHardSwish);
  backbone.se_of_expansion = true;
  return backbone;
}

constexpr BackboneSpec csp(std::string_view name, Trunk trunk, std::span<const CrossStageSpec> stages, int stem,
                           int groups = 1) {
  return plain({.name = name,
                .trunk = trunk,
                .cross_stages = stages,
                .stem_channels = stem,
                .groups = groups,
                .activation = Activation::kLeakyRelu});
}

constexpr BackboneSpec kResNet50 = plain({.name = "resnet50",
                                          .trunk = Trunk::kResNet,
                                          .stages = kResNet50Stages,
                                          .stem_channels = 64,
                                          .activation = Activation::kRelu});
constexpr BackboneSpec kCspResNet50 = csp("cspresnet50", Trunk::kCspResNet, kCspResNet50Stages, 64),
                       kCspResNeXt50 = csp("cspresnext50", Trunk::kCspResNet, kCspResNeXt50Stages, 64, 32),
                       kCspDarkNet53 = csp("cspdarknet53", Trunk::kCspDarkNet, kCspDarkNet53Stages, 32);

constexpr BackboneSpec kB0 = tf_backbone("tf_efficientnet_b0", 1.0, 1.0),
                       kB1 = tf_backbone("tf_efficientnet_b1", 1.0, 1.1),
                       kB2 = tf_backbone("tf_efficientnet_b2", 1.1, 1.2),
                       kB3 = tf_backbone("tf_efficientnet_b3", 1.2, 1.4),
                       kB4 = tf_backbone("tf_efficientnet_b4", 1.4, 1.8),
                       kB5 = tf_backbone("tf_efficientnet_b5", 1.6, 2.2),
                       kB6 = tf_backbone("tf_efficientnet_b6", 1.8, 2.6),
                       kB7 = tf_backbone("tf_efficientnet_b7", 2.0, 3.1);
constexpr BackboneSpec kLite0 = lite_backbone("tf_efficientnet_lite0", 1.0, 1.0),
                       kLite1 = lite_backbone("tf_efficientnet_lite1", 1.0, 1.1),
                       kLite2 = lite_backbone("tf_efficientnet_lite2", 1.1, 1.2),
                       kLite3 = lite_backbone("tf_efficientnet_lite3", 1.2, 1.4),
                       kLite4 = lite_backbone("tf_efficientnet_lite4", 1.4, 1.8);

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

/// zylo117's networks are TensorFlow's but for their max pools, and its programs have ways of their own.
constexpr Variant zylo117(Variant variant) {
  variant.zero_padded_pools = true;
  variant.idle_fusion_weights = variant.fusion == Fusion::kSum;
  variant.whole_strides = true;
  variant.head_bn_level_first = true;
  variant.naming = Naming::kZylo117;
  variant.interpolation = Interpolation::kSampled;
  variant.selection = Selection::kBestClass;
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

/// Ratios that effdet's configuration gives as width / height: 1, 2 and 1/2.
constexpr Variant whole_ratios(Variant variant) {
  constexpr double kSqrt2 = 1.4142135623730951, kSqrtHalf = 0.7071067811865476;
  variant.aspect_ratios = {Ratio{1.0, 1.0}, Ratio{kSqrt2, 1 / kSqrt2}, Ratio{kSqrtHalf, 1 / kSqrtHalf}};
  return variant;
}

/// The experiments of effdet's author, with batch norms of the heads by level first.
constexpr Variant experiment(std::string_view name, int size, int channels, int cells, int repeats,
                             BackboneSpec backbone) {
  Variant variant = symmetric(name, size, channels, cells, repeats, backbone);
  variant.head_bn_level_first = true;
  return variant;
}

constexpr Variant pyramid(Variant variant, Pyramid pyramid) {
  variant.pyramid = pyramid;
  return variant;
}

constexpr Variant activated(Variant variant, Activation activation) {
  variant.activation = activation;
  return variant;
}

constexpr Variant bilinear(Variant variant) {
  variant.downsampling = Downsampling::kBilinear;
  variant.upsampling = Upsampling::kBilinear;
  return variant;
}

/// Plain 3x3 convolutions in pyramid and heads.
constexpr Variant dense(Variant variant, Activation activation, std::optional<Activation> head = {}) {
  variant.separable = false;
  variant.activation = activation;
  variant.head_activation = head;
  return variant;
}

/// "Wide": its features are the expanded ones.
constexpr Variant wide_0() {
  Variant variant = experiment("efficientdet_w0", 512, 80, 3, 3, kB0);
  variant.backbone.features_expanded = true;
  return whole_ratios(variant);
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
    whole_ratios(bilinear(experiment("efficientdetv2_dt", 768, 128, 5, 3,
                                     mobile("efficientnetv2_rw_t", kV2Stages, 24, kSwish, 0.8, 0.9)))),
    whole_ratios(bilinear(
        experiment("efficientdetv2_ds", 1024, 256, 7, 4, mobile("efficientnetv2_rw_s", kV2RwStages, 24, kSwish)))),
    dense(symmetric("resdet50", 640, 88, 4, 3, kResNet50), kRelu),
    whole_ratios(bilinear(dense(experiment("cspresdet50", 768, 88, 4, 3, kCspResNet50), kLeaky, kSwish))),
    whole_ratios(dense(experiment("cspresdext50", 640, 88, 4, 3, kCspResNeXt50), kLeaky)),
    whole_ratios(dense(pyramid(experiment("cspresdext50pan", 640, 88, 3, 3, kCspResNeXt50), Pyramid::kPan), kLeaky)),
    whole_ratios(dense(experiment("cspdarkdet53", 640, 88, 4, 3, kCspDarkNet53), kLeaky)),
    whole_ratios(bilinear(dense(pyramid(experiment("cspdarkdet53m", 768, 96, 4, 3, kCspDarkNet53), Pyramid::kQuad),
                                kLeaky, Activation::kMish))),
    whole_ratios(experiment("mixdet_m", 512, 64, 3, 3, mobile("mixnet_m", kMixNetStages, 24, kRelu))),
    whole_ratios(experiment("mixdet_l", 640, 88, 4, 3, mobile("mixnet_l", kMixNetStages, 24, kRelu, 1.3))),
    whole_ratios(activated(experiment("mobiledetv2_110d", 384, 48, 3, 3, mobilenet_v2("mobilenetv2_110d", 1.1, 1.2)),
                           Activation::kRelu6)),
    whole_ratios(activated(experiment("mobiledetv2_120d", 512, 56, 3, 3, mobilenet_v2("mobilenetv2_120d", 1.2, 1.4)),
                           Activation::kRelu6)),
    whole_ratios(activated(experiment("mobiledetv3_large", 512, 64, 3, 3, mobilenet_v3()), Activation::kHardSwish)),
    pyramid(experiment("efficientdet_q0", 512, 64, 3, 3, kB0), Pyramid::kQuad),
    pyramid(bilinear(experiment("efficientdet_q1", 640, 88, 3, 3, kB1)), Pyramid::kQuad),
    pyramid(experiment("efficientdet_q2", 768, 112, 4, 3, kB2), Pyramid::kQuad),
    wide_0(),
    whole_ratios(dense(experiment("efficientdet_es", 512, 72, 3, 3, edge_backbone("efficientnet_es", 1.0)), kRelu)),
    whole_ratios(dense(experiment("efficientdet_em", 640, 96, 4, 3, edge_backbone("efficientnet_em", 1.1)), kRelu)),
    plain_lite0(),
    lite("tf_efficientdet_lite0", 320, 64, 3, 3, kLite0, 3.0),
    lite("tf_efficientdet_lite1", 384, 88, 4, 3, kLite1, 3.0),
    lite("tf_efficientdet_lite2", 448, 112, 5, 3, kLite2, 3.0),
    lite("tf_efficientdet_lite3", 512, 160, 6, 4, kLite3, 4.0),
    lite("tf_efficientdet_lite3x", 640, 200, 6, 4, kLite3, 3.0),
    lite("tf_efficientdet_lite4", 640, 224, 7, 4, kLite4, 4.0),
    zylo117(tf("zylo117_efficientdet_d0", 512, 64, 3, 3, kB0)),
    zylo117(tf("zylo117_efficientdet_d1", 640, 88, 4, 3, kB1)),
    zylo117(tf("zylo117_efficientdet_d2", 768, 112, 5, 3, kB2)),
    zylo117(tf("zylo117_efficientdet_d3", 896, 160, 6, 4, kB3)),
    zylo117(tf("zylo117_efficientdet_d4", 1024, 224, 7, 4, kB4)),
    zylo117(tf("zylo117_efficientdet_d5", 1280, 288, 7, 4, kB5)),
    zylo117(summing(tf("zylo117_efficientdet_d6", 1280, 384, 8, 5, kB6), 4.0)),
    zylo117(summing(tf("zylo117_efficientdet_d7", 1536, 384, 8, 5, kB6), 5.0)),
    zylo117(summing(tf("zylo117_efficientdet_d8", 1536, 384, 8, 5, kB7), 4.0, 8)),
};

}  // namespace

std::span<const Variant> variants() { return kVariants; }

const Variant* find_variant(std::string_view name) {
  for (const Variant& variant : kVariants)
    if (variant.name == name) return &variant;
  return nullptr;
}

const BackboneSpec* find_backbone(std::string_view name) {
  for (const Variant& variant : kVariants)
    if (variant.backbone.name == name) return &variant.backbone;
  return nullptr;
}

}  // namespace effdet::model

namespace effdet {

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const model::Variant& variant : model::variants()) names.emplace_back(variant.name);
  return names;
}

}  // namespace effdet
