// The table of effdet's settings: how each is parsed and what it changes.
#include "model/settings.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/error.h"

namespace effdet::model {
namespace {

using Json = nlohmann::json;

constexpr size_t kLongestValue = 4096;
constexpr int kMostLevels = 9, kMostChannels = 4096, kMostRepeats = 64, kLargestSetting = 16384;

/// JSON, or what Python prints; plain text else.
Json parse(std::string_view text) {
  if (text.size() > kLongestValue) fail(ErrorCode::kUsage, "a value of {} bytes", text.size());
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded() && !json.is_string()) return json;
  std::string plain = json.is_string() ? json.get<std::string>() : std::string(text);
  if (same_letters(plain, "true")) return true;
  if (same_letters(plain, "false")) return false;
  if (same_letters(plain, "none")) return nullptr;
  std::string list = plain;
  std::ranges::replace(list, '(', '[');
  std::ranges::replace(list, ')', ']');
  if (list.find(',') != list.npos && !list.starts_with('[')) list = "[" + list + "]";
  json = Json::parse(list, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() || json.is_object() ? Json(plain) : json;
}

/// A setting's value; every refusal names the setting.
class Value {
 public:
  Value(const Setting& setting, const Json& json) : setting_(setting), json_(json) {}

  bool boolean() const {
    if (!json_.is_boolean()) refuse("true or false");
    return json_.get<bool>();
  }
  int integer(int low, int high) const {
    const double number = json_.is_number() ? json_.get<double>() : NAN;
    if (!(number >= low && number <= high) || number != std::floor(number))
      refuse(fmt::format("a whole number in {}..{}", low, high));
    return static_cast<int>(number);
  }
  double number(double above, double most) const { return number_of(json_, above, most); }
  std::string text() const {
    if (!json_.is_string()) refuse("a name");
    return lower_case(json_.get<std::string>());
  }
  const Json& json() const { return json_; }
  double number_of(const Json& json, double above, double most) const {
    const double number = json.is_number() ? json.get<double>() : NAN;
    if (!(number > above) || !(number <= most)) refuse(fmt::format("a number above {}, at most {}", above, most));
    return number;
  }

  /// The member of a table of that name.
  template <typename T, size_t N>
  T one_of(const std::pair<std::string_view, T> (&table)[N]) const {
    const std::string name = text();
    std::string names;
    for (const auto& [known, value] : table) {
      if (known == name) return value;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.empty() ? "''" : known);
    }
    fail(ErrorCode::kUnsupported, "{} '{}' is not built here, only {}", setting_.name, name, names);
  }

  [[noreturn]] void refuse(std::string_view wanted) const {
    fail(ErrorCode::kUsage, "{} {} is not {}", setting_.name, setting_.value, wanted);
  }
  [[noreturn]] void not_built() const {
    fail(ErrorCode::kUnsupported, "{} {} is not built here", setting_.name, setting_.value);
  }

 private:
  const Setting& setting_;
  const Json& json_;
};

constexpr std::pair<std::string_view, Activation> kActivationNames[] = {{"silu", Activation::kSwish},
                                                                        {"swish", Activation::kSwish},
                                                                        {"relu", Activation::kRelu},
                                                                        {"relu6", Activation::kRelu6},
                                                                        {"leaky_relu", Activation::kLeakyRelu},
                                                                        {"hard_swish", Activation::kHardSwish},
                                                                        {"hardswish", Activation::kHardSwish},
                                                                        {"mish", Activation::kMish},
                                                                        {"elu", Activation::kElu},
                                                                        {"sigmoid", Activation::kSigmoid},
                                                                        {"tanh", Activation::kTanh},
                                                                        {"hard_sigmoid", Activation::kHardSigmoid},
                                                                        {"hardsigmoid", Activation::kHardSigmoid}};
constexpr std::pair<std::string_view, Padding> kPaddings[] = {
    {"same", Padding::kSame}, {"", Padding::kSymmetric}, {"symmetric", Padding::kSymmetric}};
constexpr std::pair<std::string_view, Downsampling> kDownsamplings[] = {{"max", Downsampling::kMaxPool},
                                                                        {"avg", Downsampling::kAveragePool},
                                                                        {"bilinear", Downsampling::kBilinear},
                                                                        {"nearest", Downsampling::kNearest}};
constexpr std::pair<std::string_view, Upsampling> kUpsamplings[] = {{"nearest", Upsampling::kNearest},
                                                                    {"bilinear", Upsampling::kBilinear}};
using FpnName = std::pair<Pyramid, Fusion>;
constexpr std::pair<std::string_view, FpnName> kFpnNames[] = {{"bifpn_fa", {Pyramid::kBifpn, Fusion::kFastAttention}},
                                                              {"bifpn_sum", {Pyramid::kBifpn, Fusion::kSum}},
                                                              {"bifpn_attn", {Pyramid::kBifpn, Fusion::kSoftmax}},
                                                              {"pan_fa", {Pyramid::kPan, Fusion::kFastAttention}},
                                                              {"pan_sum", {Pyramid::kPan, Fusion::kSum}},
                                                              {"qufpn_fa", {Pyramid::kQuad, Fusion::kFastAttention}},
                                                              {"qufpn_sum", {Pyramid::kQuad, Fusion::kSum}}};
constexpr std::pair<std::string_view, bool> kFeatureLocations[] = {
    {"bottleneck", false}, {"", false}, {"depthwise", true}, {"expansion", true}};

void set_image_size(const Value& value, ModelConfig& config) {
  std::vector<Json> sides = value.json().is_array() ? value.json().get<std::vector<Json>>() : std::vector{value.json()};
  if (sides.size() == 3) sides.erase(sides.begin());  // timm's input_size begins with the channels
  if (sides.empty() || sides.size() > 2) value.refuse("a side, or height and width");
  const auto side = [&](const Json& json) {
    const double number = value.number_of(json, 0, kLargestSetting);
    if (number != std::floor(number)) value.refuse("a side, or height and width");
    return static_cast<int>(number);
  };
  const int height = side(sides.front()), width = side(sides.back());
  config.image_height = height;
  config.image_width = width;
}

/// effdet takes factors of width and height, or width / height, whose square root each is then.
void set_aspect_ratios(const Value& value, ModelConfig& config) {
  if (!value.json().is_array() || value.json().empty()) value.refuse("a list of ratios");
  config.aspect_ratios.clear();
  for (const Json& ratio : value.json()) {
    constexpr double kMost = 1000;
    if (ratio.is_array() && ratio.size() == 2) {
      config.aspect_ratios.emplace_back(value.number_of(ratio[0], 0, kMost), value.number_of(ratio[1], 0, kMost));
    } else {
      const double root = std::sqrt(value.number_of(ratio, 0, kMost));
      config.aspect_ratios.emplace_back(root, 1 / root);
    }
  }
}

/// One number for all channels, or three.
std::array<double, 3> colour(const Value& value, double above) {
  const Json list = value.json().is_array() ? value.json() : Json::array({value.json()});
  if (list.size() != 1 && list.size() != 3) value.refuse("one number or three");
  std::array<double, 3> result;
  for (size_t i = 0; i < 3; ++i) result[i] = value.number_of(list[list.size() == 3 ? i : 0], above, 1);
  return result;
}

/// What "mean" as a fill means: effdet rounds half to even.
std::array<uint8_t, 3> mean_fill(const Variant& variant) {
  std::array<uint8_t, 3> fill;
  for (size_t i = 0; i < 3; ++i) fill[i] = static_cast<uint8_t>(std::nearbyint(255 * variant.mean[i]));
  return fill;
}

void set_mean(const Value& value, ModelConfig& config) {
  Variant& variant = config.variant;
  const bool follows = variant.fill == mean_fill(variant);
  variant.mean = colour(value, -1e-9);
  if (follows) variant.fill = mean_fill(variant);
}

void set_fill(const Value& value, ModelConfig& config) {
  if (value.json().is_string()) {
    if (value.text() != "mean") value.refuse("'mean', a number or three");
    config.variant.fill = mean_fill(config.variant);
    return;
  }
  const Json list = value.json().is_array() ? value.json() : Json::array({value.json()});
  if (list.size() != 1 && list.size() != 3) value.refuse("'mean', a number or three");
  for (size_t i = 0; i < 3; ++i)
    config.variant.fill[i] = static_cast<uint8_t>(value.number_of(list[list.size() == 3 ? i : 0], -1e-9, 255));
}

void set_backbone(const Value& value, ModelConfig& config) {
  const std::string name = value.text();
  const BackboneSpec* backbone = find_backbone(name);
  if (backbone == nullptr) fail(ErrorCode::kUnsupported, "backbone_name '{}' is not built here", name);
  const bool expanded = config.variant.backbone.features_expanded;
  config.variant.backbone = *backbone;
  config.variant.backbone.features_expanded = expanded;
}

struct Row {
  std::string_view name;
  void (*apply)(const Value&, ModelConfig&);
};

constexpr Row kRows[] = {
    {"redundant_bias", [](const Value& v, ModelConfig& c) { c.variant.redundant_bias = v.boolean(); }},
    {"image_size", set_image_size},
    {"img_size", set_image_size},
    {"input_size", set_image_size},
    {"pad_type", [](const Value& v, ModelConfig& c) { c.variant.padding = v.one_of(kPaddings); }},
    {"act_type", [](const Value& v, ModelConfig& c) { c.variant.activation = v.one_of(kActivationNames); }},
    {"head_act_type", [](const Value& v, ModelConfig& c) { c.variant.head_activation = v.one_of(kActivationNames); }},
    {"norm_kwargs.eps",
     [](const Value& v, ModelConfig& c) { c.variant.bn_epsilon = static_cast<float>(v.number(0, 1)); }},
    {"norm_layer", [](const Value& v, ModelConfig&) { v.not_built(); }},
    {"fpn_name",
     [](const Value& v, ModelConfig& c) { std::tie(c.variant.pyramid, c.variant.fusion) = v.one_of(kFpnNames); }},
    {"fpn_config", [](const Value& v, ModelConfig&) { v.not_built(); }},
    {"downsample_type", [](const Value& v, ModelConfig& c) { c.variant.downsampling = v.one_of(kDownsamplings); }},
    {"upsample_type", [](const Value& v, ModelConfig& c) { c.variant.upsampling = v.one_of(kUpsamplings); }},
    {"separable_conv", [](const Value& v, ModelConfig& c) { c.variant.separable = v.boolean(); }},
    {"apply_resample_bn", [](const Value& v, ModelConfig& c) { c.variant.resample_norm = v.boolean(); }},
    {"conv_bn_relu_pattern", [](const Value& v, ModelConfig& c) { c.variant.activation_last = v.boolean(); }},
    {"head_bn_level_first", [](const Value& v, ModelConfig& c) { c.variant.head_bn_level_first = v.boolean(); }},
    {"backbone_name", set_backbone},
    {"backbone_args.feature_location",
     [](const Value& v, ModelConfig& c) { c.variant.backbone.features_expanded = v.one_of(kFeatureLocations); }},
    {"fpn_channels", [](const Value& v, ModelConfig& c) { c.variant.fpn_channels = v.integer(1, kMostChannels); }},
    {"fpn_cell_repeats",
     [](const Value& v, ModelConfig& c) { c.variant.fpn_cell_repeats = v.integer(1, kMostRepeats); }},
    {"box_class_repeats",
     [](const Value& v, ModelConfig& c) { c.variant.box_class_repeats = v.integer(1, kMostRepeats); }},
    {"min_level", [](const Value& v, ModelConfig& c) { c.variant.min_level = v.integer(3, 3); }},
    {"max_level", [](const Value& v, ModelConfig& c) { c.variant.max_level = v.integer(5, kMostLevels); }},
    {"num_scales", [](const Value& v, ModelConfig& c) { c.num_scales = v.integer(1, kMaxAnchors); }},
    {"aspect_ratios", set_aspect_ratios},
    {"anchor_scale", [](const Value& v, ModelConfig& c) { c.anchor_scale = v.number(0, 1000); }},
    {"mean", set_mean},
    {"std", [](const Value& v, ModelConfig& c) { c.variant.std = colour(v, 0); }},
    {"fill_color", set_fill},
    {"interpolation",
     [](const Value& v, ModelConfig&) {
       if (v.text() != "bilinear") v.not_built();
     }},
};

}  // namespace

bool is_setting(std::string_view name) { return std::ranges::find(kRows, name, &Row::name) != std::end(kRows); }

void apply_setting(const Setting& setting, ModelConfig& config) {
  const auto row = std::ranges::find(kRows, setting.name, &Row::name);
  if (row == std::end(kRows)) {
    std::vector<std::string_view> names;
    for (const Row& known : kRows) names.push_back(known.name);
    fail(ErrorCode::kUsage, "there is no option '{}' in a model's configuration; there are {}", setting.name,
         fmt::join(names, ", "));
  }
  const Json json = parse(setting.value);
  if (!json.is_null()) row->apply(Value(setting, json), config);
}

bool same_value(std::string_view a, std::string_view b) { return parse(a) == parse(b); }

}  // namespace effdet::model
