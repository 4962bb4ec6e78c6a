// Aipp: camera pixels to the network's float planes. What the operator's attributes say, as a struct that the reader of
// --insert_op_conf fills, and that kernels and the pipeline read.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ops/op.h"

namespace effdet::ops {

/// Layouts of an image in memory. Xrgb8888: four bytes a pixel, of which three count. Yuv420sp: a plane of luma, then
/// rows of interleaved chroma, half as many and half as wide. Yuv400: luma alone.
enum class AippFormat : uint8_t { kRgb888, kXrgb8888, kYuv420sp, kYuv400 };

/// Names by AippFormat, as the files of --insert_op_conf and the attribute `format` have them.
inline constexpr std::array<std::string_view, 4> kAippFormats = {"RGB888_U8", "XRGB8888_U8", "YUV420SP_U8",
                                                                 "YUV400_U8"};

/// The largest side of an image, and the largest padding.
inline constexpr int64_t kMaxAippSide = 1 << 16;

/// One preprocessing. Steps in this order: channel swap, crop, colour space conversion, normalisation, padding.
struct AippSpec {
  AippFormat format = AippFormat::kRgb888;
  int64_t source_height = 0, source_width = 0;  ///< of the image that the caller gives
  int64_t crop_top = 0, crop_left = 0, crop_height = 0, crop_width = 0;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  float padding_value = 0;  ///< in the network's units: padding comes last
  bool swap_rbuv = false;   ///< red and blue, or the two chroma channels, change places
  bool swap_ax = false;     ///< Xrgb8888: the byte that does not count is a pixel's last
  /// Colour space conversion where `convert` says so: clamp(((M (in - input_bias)) >> 8) + output_bias) to 0..255.
  bool convert = false;
  std::array<int64_t, 9> matrix{};
  std::array<int64_t, 3> input_bias{}, output_bias{};
  /// out = (in - mean - min) * scale, by channel.
  std::array<int64_t, 3> mean{};
  std::array<float, 3> min{}, scale{1, 1, 1};
  int64_t channels = 3;  ///< of the output; Yuv400 gives its one channel to each

  bool operator==(const AippSpec&) const = default;
  int64_t output_height() const { return pad_top + crop_height + pad_bottom; }
  int64_t output_width() const { return pad_left + crop_width + pad_right; }
  /// [batch, rows, columns, bytes a pixel]; Yuv420sp: [batch, 3 / 2 height, width, 1].
  Shape input_shape(int64_t batch) const;
  /// NCHW.
  Shape output_shape(int64_t batch) const { return {batch, channels, output_height(), output_width()}; }
};

/// What cannot be in a spec: the field, in the words of --insert_op_conf, and the reason. Both empty: nothing.
struct AippFault {
  std::string field, reason;
};
AippFault find_fault(const AippSpec& spec);

/// A spec as the attributes of a node, and back. aipp_of throws Error(kBadInput) for what find_fault finds.
std::map<std::string, ir::Attribute> aipp_attributes(const AippSpec& spec);
AippSpec aipp_of(const ir::Node& node);

/// The preprocessing of a graph's first input, where it has some: an Aipp node's, or that of a whole model in one node,
/// which has the same attributes then.
std::optional<AippSpec> input_aipp(const ir::Graph& graph);

}  // namespace effdet::ops
