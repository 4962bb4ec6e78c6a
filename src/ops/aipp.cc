// ai.effdet::Aipp: attributes, limits, and the reference kernel.
#include "ops/aipp.h"

#include <algorithm>
#include <cmath>

#include "ops/fused/layout.h"
#include "ops/operators.h"

namespace effdet::ops {
namespace {

constexpr int64_t kMaxFactor = 32767, kMaxSample = 255;
/// What a padding, a minimum or a scale may be at most: float16's range, as for the devices that the format is from.
constexpr float kMaxReal = 65504;

AippFault side_fault(const AippSpec& s, bool horizontal) {
  const std::string axis = horizontal ? "_w" : "_h";
  const int64_t source = horizontal ? s.source_width : s.source_height;
  const int64_t start = horizontal ? s.crop_left : s.crop_top;
  const int64_t size = horizontal ? s.crop_width : s.crop_height;
  if (source < 1 || source > kMaxAippSide)
    return {"src_image_size" + axis, fmt::format("{} is not in 1..{}", source, kMaxAippSide)};
  if (size < 1 || size > kMaxAippSide)
    return {"crop_size" + axis, fmt::format("{} is not in 1..{}", size, kMaxAippSide)};
  if (start < 0 || start > source - size)
    return {"crop_size" + axis,
            fmt::format("{} pixels from {} are not inside of the source's {}", size, start, source)};
  if (s.format != AippFormat::kYuv420sp) return {};
  const auto odd = [](const std::string& field, int64_t value) {
    return AippFault{field, fmt::format("{} is odd, but YUV420SP_U8 has chroma for pairs of pixels", value)};
  };
  if (source % 2 != 0) return odd("src_image_size" + axis, source);
  if (start % 2 != 0) return odd("load_start_pos" + axis, start);
  if (size % 2 != 0) return odd("crop_size" + axis, size);
  return {};
}

AippFault padding_fault(const AippSpec& s) {
  const std::pair<const char*, int64_t> pads[] = {{"top_padding_size", s.pad_top},
                                                  {"left_padding_size", s.pad_left},
                                                  {"bottom_padding_size", s.pad_bottom},
                                                  {"right_padding_size", s.pad_right}};
  for (const auto& [field, pad] : pads)
    if (pad < 0 || pad > kMaxAippSide) return {field, fmt::format("{} is not in 0..{}", pad, kMaxAippSide)};
  if (!(std::abs(s.padding_value) <= kMaxReal))
    return {"padding_value", fmt::format("{} is not in -{}..{}", s.padding_value, kMaxReal, kMaxReal)};
  return {};
}

AippFault conversion_fault(const AippSpec& s) {
  if (s.convert && s.format == AippFormat::kYuv400) return {"csc_switch", "YUV400_U8 has no colours to convert"};
  for (size_t i = 0; i < s.matrix.size(); ++i)
    if (s.matrix[i] < -kMaxFactor || s.matrix[i] > kMaxFactor)
      return {fmt::format("matrix_r{}c{}", i / 3, i % 3),
              fmt::format("{} is not in -{}..{}", s.matrix[i], kMaxFactor, kMaxFactor)};
  return {};
}

AippFault channel_fault(const AippSpec& s, size_t i) {
  const std::pair<const char*, int64_t> samples[] = {
      {"input_bias_", s.input_bias[i]}, {"output_bias_", s.output_bias[i]}, {"mean_chn_", s.mean[i]}};
  for (const auto& [field, value] : samples)
    if (value < 0 || value > kMaxSample)
      return {field + std::to_string(i), fmt::format("{} is not in 0..{}", value, kMaxSample)};
  const auto out_of_range = [](float value) { return !(std::abs(value) <= kMaxReal); };
  if (out_of_range(s.min[i]))
    return {"min_chn_" + std::to_string(i), fmt::format("{} is not in -{}..{}", s.min[i], kMaxReal, kMaxReal)};
  if (out_of_range(s.scale[i]) || s.scale[i] == 0)
    return {"var_reci_chn_" + std::to_string(i),
            fmt::format("{} is not in -{}..{}, or 0", s.scale[i], kMaxReal, kMaxReal)};
  return {};
}

template <typename T>
std::vector<T> list_of(const ir::Node& node, const char* attribute, size_t count) {
  const ir::Attribute* found = node.find(attribute);
  const auto* values = found != nullptr ? std::get_if<std::vector<T>>(found) : nullptr;
  if (values == nullptr || values->size() != count)
    node_error(node, "attribute '{}' is no list of {} numbers", attribute, count);
  return *values;
}

template <typename T>
std::array<T, 3> three_of(const ir::Node& node, const char* attribute) {
  const std::vector<T> values = list_of<T>(node, attribute, 3);
  return {values[0], values[1], values[2]};
}

template <typename T, size_t n>
std::vector<T> to_list(const std::array<T, n>& values) {
  return {values.begin(), values.end()};
}

// --- Aipp(image)

std::vector<Inferred> infer_aipp(const InferContext& c) {
  const AippSpec spec = aipp_of(c.node);
  if (c.dtype(0) != DType::kU8) node_error(c.node, "input 0 is {}, not uint8", dtype_name(c.dtype(0)));
  const auto& shape = c.shape(0);
  if (!shape || shape->size() != 4 || (*shape)[0] < 1 || *shape != spec.input_shape((*shape)[0]))
    node_error(c.node, "input 0 has the shape {}, not {}", shape ? shape_text(*shape) : "unknown",
               shape_text(spec.input_shape(1)));
  return {{DType::kF32, spec.output_shape((*shape)[0])}};
}

/// The three channels of a pixel of the source, swaps done.
std::array<int64_t, 3> pixel_of(const AippSpec& s, const uint8_t* image, int64_t y, int64_t x) {
  const int64_t at = y * s.source_width + x;
  std::array<int64_t, 3> pixel{};
  switch (s.format) {
    case AippFormat::kYuv400:
      pixel.fill(image[at]);
      return pixel;
    case AippFormat::kYuv420sp: {
      const uint8_t* chroma = image + (s.source_height + y / 2) * s.source_width + x / 2 * 2;
      pixel = {image[at], chroma[0], chroma[1]};
      if (s.swap_rbuv) std::swap(pixel[1], pixel[2]);
      return pixel;
    }
    case AippFormat::kRgb888:
    case AippFormat::kXrgb8888: {
      const bool padded = s.format == AippFormat::kXrgb8888;
      const uint8_t* bytes = image + at * (padded ? 4 : 3) + (padded && !s.swap_ax ? 1 : 0);
      pixel = {bytes[0], bytes[1], bytes[2]};
      if (s.swap_rbuv) std::swap(pixel[0], pixel[2]);
      return pixel;
    }
  }
  return pixel;
}

std::array<int64_t, 3> converted(const AippSpec& s, const std::array<int64_t, 3>& in) {
  std::array<int64_t, 3> out;
  for (size_t i = 0; i < 3; ++i) {
    int64_t sum = 0;
    for (size_t j = 0; j < 3; ++j) sum += s.matrix[3 * i + j] * (in[j] - s.input_bias[j]);
    out[i] = std::clamp<int64_t>((sum >> 8) + s.output_bias[i], 0, 255);
  }
  return out;
}

void evaluate_aipp(const EvalContext& c) {
  const AippSpec s = aipp_of(c.node);
  const Dims out = dims_of(c.output().shape(), Layout::kPlain);
  const auto target = c.output().mutable_data<float>();
  std::ranges::fill(target, s.padding_value);
  const auto source = c.input(0).data<uint8_t>();
  const size_t image_bytes = source.size() / static_cast<size_t>(out.batch);
  for (int64_t b = 0; b < out.batch; ++b)
    for (int64_t y = 0; y < s.crop_height; ++y)
      for (int64_t x = 0; x < s.crop_width; ++x) {
        auto pixel = pixel_of(s, source.data() + static_cast<size_t>(b) * image_bytes, s.crop_top + y, s.crop_left + x);
        if (s.convert) pixel = converted(s, pixel);
        for (int64_t k = 0; k < out.channels; ++k) {
          const auto i = static_cast<size_t>(k);
          const int64_t at = ((b * out.channels + k) * out.height + s.pad_top + y) * out.width + s.pad_left + x;
          target[static_cast<size_t>(at)] = (static_cast<float>(pixel[i] - s.mean[i]) - s.min[i]) * s.scale[i];
        }
      }
}

}  // namespace

Shape AippSpec::input_shape(int64_t batch) const {
  if (format == AippFormat::kYuv420sp) return {batch, source_height / 2 * 3, source_width, 1};
  const int64_t bytes = format == AippFormat::kRgb888 ? 3 : format == AippFormat::kXrgb8888 ? 4 : 1;
  return {batch, source_height, source_width, bytes};
}

AippFault find_fault(const AippSpec& spec) {
  const auto first = [](std::initializer_list<AippFault> faults) {
    const auto found = std::ranges::find_if(faults, [](const AippFault& f) { return !f.field.empty(); });
    return found != faults.end() ? *found : AippFault{};
  };
  if (spec.channels != 3 && !(spec.channels == 1 && spec.format == AippFormat::kYuv400))
    return {"input_format", fmt::format("{} does not give the {} channels that the network takes",
                                        kAippFormats[static_cast<size_t>(spec.format)], spec.channels)};
  return first({side_fault(spec, true), side_fault(spec, false), padding_fault(spec), conversion_fault(spec),
                channel_fault(spec, 0), channel_fault(spec, 1), channel_fault(spec, 2)});
}

std::map<std::string, ir::Attribute> aipp_attributes(const AippSpec& s) {
  using Ints = std::vector<int64_t>;
  std::map<std::string, ir::Attribute> attributes = {
      {"format", std::string(kAippFormats[static_cast<size_t>(s.format)])},
      {"source_size", Ints{s.source_height, s.source_width}},
      {"crop", Ints{s.crop_top, s.crop_left, s.crop_height, s.crop_width}},
      {"pads", Ints{s.pad_top, s.pad_left, s.pad_bottom, s.pad_right}},
      {"padding_value", s.padding_value},
      {"swap_rbuv", int64_t{s.swap_rbuv}},
      {"swap_ax", int64_t{s.swap_ax}},
      {"mean", to_list(s.mean)},
      {"min", to_list(s.min)},
      {"scale", to_list(s.scale)},
      {"out_channels", s.channels}};
  if (s.convert) {
    attributes["matrix"] = to_list(s.matrix);
    attributes["input_bias"] = to_list(s.input_bias);
    attributes["output_bias"] = to_list(s.output_bias);
  }
  return attributes;
}

AippSpec aipp_of(const ir::Node& node) {
  AippSpec s;
  const std::string format = node.get_string("format", "");
  const auto found = std::ranges::find(kAippFormats, format);
  if (found == kAippFormats.end()) node_error(node, "attribute 'format' is '{}', no known format", format);
  s.format = static_cast<AippFormat>(found - kAippFormats.begin());
  const auto size = list_of<int64_t>(node, "source_size", 2), crop = list_of<int64_t>(node, "crop", 4),
             pads = list_of<int64_t>(node, "pads", 4);
  s.source_height = size[0], s.source_width = size[1];
  s.crop_top = crop[0], s.crop_left = crop[1], s.crop_height = crop[2], s.crop_width = crop[3];
  s.pad_top = pads[0], s.pad_left = pads[1], s.pad_bottom = pads[2], s.pad_right = pads[3];
  s.padding_value = node.get_float("padding_value", 0);
  s.swap_rbuv = node.get_int("swap_rbuv", 0) != 0;
  s.swap_ax = node.get_int("swap_ax", 0) != 0;
  s.convert = node.find("matrix") != nullptr;
  if (s.convert) {
    std::ranges::copy(list_of<int64_t>(node, "matrix", 9), s.matrix.begin());
    s.input_bias = three_of<int64_t>(node, "input_bias");
    s.output_bias = three_of<int64_t>(node, "output_bias");
  }
  s.mean = three_of<int64_t>(node, "mean");
  s.min = three_of<float>(node, "min");
  s.scale = three_of<float>(node, "scale");
  s.channels = node.get_int("out_channels", 3);
  const AippFault fault = find_fault(s);
  if (!fault.field.empty()) node_error(node, "{}: {}", fault.field, fault.reason);
  return s;
}

std::optional<AippSpec> input_aipp(const ir::Graph& graph) {
  const auto reads_input = [&](const ir::Node& node) {
    return node.domain == ir::kFusedDomain && node.find("source_size") != nullptr &&
           node.inputs.at(0) == graph.inputs[0];
  };
  if (graph.inputs.empty()) return std::nullopt;
  const auto found = std::ranges::find_if(graph.nodes, reads_input);
  return found != graph.nodes.end() ? std::optional(aipp_of(*found)) : std::nullopt;
}

std::span<const Operator> aipp_operators() {
  static constexpr Card kAipp{.batch = Batch::kByImage, .heavy = true};
  static constexpr Operator kOperators[] = {
      {ir::kFusedDomain, "Aipp", 1, 1, infer_aipp, evaluate_aipp, kAipp},
  };
  return kOperators;
}

}  // namespace effdet::ops
