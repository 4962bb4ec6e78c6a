// The variants of detectors: one table of what distinguishes them. Facts as effdet 0.4.1 and timm 1.0 have them,
// and for zylo117_* as Yet-Another-EfficientDet-Pytorch has them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/activation.h"

namespace effdet::model {

/// kSame: TensorFlow's, the output has ceil(size / stride) and an odd rest of padding goes to the bottom and right.
/// kSymmetric: PyTorch's usual (kernel - 1 + stride - 1) / 2 on every side. kNone: windows stay inside.
enum class Padding : uint8_t { kSame, kSymmetric, kNone };

/// How a feature pyramid node joins its inputs: a plain sum, or one weighted by w_i / (sum of w + 1e-4) with w >= 0, or
/// by softmax(w).
enum class Fusion : uint8_t { kSum, kFastAttention, kSoftmax };

/// The graph of a feature pyramid's cell: BiFPN, a path down and one back up (PAN), or four paths (quad FPN).
enum class Pyramid : uint8_t { kBifpn, kPan, kQuad };

/// How features change their size between levels.
enum class Downsampling : uint8_t { kMaxPool, kAveragePool, kBilinear, kNearest };
enum class Upsampling : uint8_t { kNearest, kBilinear };

/// Whose modules the tensors of a checkpoint are named after: effdet's, or Yet-Another-EfficientDet-Pytorch's.
enum class Naming : uint8_t { kEffdet, kZylo117 };

/// How images are scaled to the input: as Pillow does it, with antialias and in bytes, or as OpenCV does it, between
/// the four nearest pixels.
enum class Interpolation : uint8_t { kAntialiased, kSampled };

/// What becomes of an anchor: a candidate for each class, or one for its best class alone.
enum class Selection : uint8_t { kAllClasses, kBestClass };

enum class BlockType : uint8_t {
  kDepthwiseSeparable,  ///< depthwise, squeeze-excite, pointwise
  kInvertedResidual,    ///< pointwise expansion, depthwise, squeeze-excite, pointwise projection
  kEdgeResidual,        ///< full expansion, pointwise projection
  kConvolution,         ///< one convolution
  kBottleneck,          ///< ResNet's: pointwise, full, pointwise; and a projection beside the first
};

/// A run of equal blocks; the first one has the stride. Repeats and channels are those before scaling.
struct StageSpec {
  BlockType block;
  int repeats;
  int kernel;
  int stride;
  double expansion;
  int channels;
  std::optional<double> se_ratio = {};        ///< instead of the backbone's
  std::optional<Activation> activation = {};  ///< instead of the backbone's
  bool continues = false;                     ///< a further run of the stage before
  /// Mixed convolutions: channels fall into so many parts, with kernels of size k, k + 2, k + 4, ...
  int kernels = 1;
  int expansion_parts = 1, projection_parts = 1;  ///< the same of the 1x1 convolutions
  int expanded_from = 0;                          ///< the expansion counts from this width, and there is no skip
};

/// A cross stage: half of the channels go through blocks, half past them.
struct CrossStageSpec {
  int depth, channels, stride;
  double expansion, bottleneck, block;  ///< widths relative to channels (bottleneck: to the block's)
};

enum class Trunk : uint8_t { kEfficientNet, kResNet, kCspResNet, kCspDarkNet };

/// A backbone as data: its stages and how they are scaled.
struct BackboneSpec {
  std::string_view name = {};  ///< timm's
  Trunk trunk = Trunk::kEfficientNet;
  std::span<const StageSpec> stages = {};             ///< of EfficientNets and ResNets
  std::span<const CrossStageSpec> cross_stages = {};  ///< of the others
  double width = 1.0;                                 ///< factor of the channels, then rounded to multiples of 8
  double depth = 1.0;                                 ///< factor of the repeats, which are then rounded up
  int stem_channels = 32;
  double se_ratio = 0.25;          ///< squeezed channels relative to a block's input; 0: no squeeze-excite
  bool se_of_expansion = false;    ///< relative to the expansion, rounded to 8; ReLU and a hard sigmoid (MobileNet V3)
  bool fixed_ends = false;         ///< stem width and the depth of the first and last stage are not scaled
  bool features_expanded = false;  ///< features are those before a stage's last projection
  int groups = 1;                  ///< of full convolutions (ResNeXt)
  Activation activation = Activation::kSwish;
  Padding padding = Padding::kSame;
  float bn_epsilon = 1e-3f;
};

using Ratio = std::pair<double, double>;  ///< factors of an anchor's width and height

/// A family's name.
inline constexpr std::string_view kEfficientDet = "EfficientDet";

/// A member of a family with its defaults.
struct Variant {
  std::string_view name;
  std::string_view family = kEfficientDet;  ///< in the table of family.h
  int image_height = 512;
  int image_width = 512;
  int fpn_channels = 64;
  int fpn_cell_repeats = 3;
  int box_class_repeats = 3;
  BackboneSpec backbone;

  int min_level = 3;
  int max_level = 7;
  Pyramid pyramid = Pyramid::kBifpn;
  Fusion fusion = Fusion::kFastAttention;
  Downsampling downsampling = Downsampling::kMaxPool;
  Upsampling upsampling = Upsampling::kNearest;
  Activation activation = Activation::kSwish;      ///< of feature pyramid and heads
  std::optional<Activation> head_activation = {};  ///< of the heads, where it is another
  bool separable = true;                           ///< 3x3 convolutions are depthwise and pointwise
  Padding padding = Padding::kSame;                ///< of feature pyramid and heads
  bool redundant_bias = true;                      ///< biases also where a batch norm follows
  bool resample_norm = true;                       ///< a batch norm after convolutions that change the width
  bool activation_last = false;                    ///< of a pyramid's node: after its convolution, not before
  bool head_bn_level_first = false;                ///< order of the heads' batch norms in the checkpoint
  float bn_epsilon = 1e-3f;                        ///< of feature pyramid and heads
  bool zero_padded_pools = false;                  ///< beyond a map's edge the pyramid's max pools see zeros
  bool idle_fusion_weights = false;                ///< the checkpoint has fusion weights for plain sums too
  bool whole_strides = false;                      ///< sides are multiples of the coarsest level's stride
  Naming naming = Naming::kEffdet;

  std::array<Ratio, 3> aspect_ratios = {Ratio{1.0, 1.0}, Ratio{1.4, 0.7}, Ratio{0.7, 1.4}};
  int num_scales = 3;
  double anchor_scale = 4.0;

  std::array<double, 3> mean = {0.485, 0.456, 0.406};  ///< RGB, of values in 0..1
  std::array<double, 3> std = {0.229, 0.224, 0.225};
  std::array<uint8_t, 3> fill = {124, 116, 104};  ///< letterbox colour
  Interpolation interpolation = Interpolation::kAntialiased;
  Selection selection = Selection::kAllClasses;

  int levels() const { return max_level - min_level + 1; }
};

/// The last convolution of a head, below "class_net." or "box_net.".
constexpr std::string_view predict_module(bool separable) { return separable ? "predict.conv_pw" : "predict.conv"; }

/// The whole family.
std::span<const Variant> variants();

/// The member of that name, or null.
const Variant* find_variant(std::string_view name);

/// The backbone that timm has under that name, of those that the family uses, or null.
const BackboneSpec* find_backbone(std::string_view name);

}  // namespace effdet::model
