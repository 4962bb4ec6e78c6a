// Reads and writes the keys of docs/onnx-metadata.md.
#include "model/metadata.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace effdet::model {
namespace {

using Metadata = std::map<std::string, std::string>;
using Json = nlohmann::json;

constexpr std::string_view kAntialiased = "bilinear", kSampled = "bilinear-sampled", kBestClass = "best-class";
constexpr int kLargestSide = 65536, kMostClasses = 1 << 20, kMaxLevel = 16, kMaxScales = 256;

/// Reads keys from metadata; every failure names the source and the key.
class MetadataReader {
 public:
  MetadataReader(const Metadata& metadata, std::string_view source) : metadata_(metadata), source_(source) {}

  const std::string& text(const std::string& key) const {
    const auto found = metadata_.find("effdet." + key);
    if (found == metadata_.end()) bad_input("{}: metadata effdet.{} is missing", source_, key);
    return found->second;
  }

  bool has(const std::string& key) const { return metadata_.contains("effdet." + key); }

  Json json(const std::string& key) const {
    // A nesting limit is not needed: what these keys may hold is at most two levels deep and the text is short.
    const std::string& value = text(key);
    if (value.size() > kMaxText) fail_at(key, "is too long");
    Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) fail_at(key, "is not JSON");
    return parsed;
  }

  int integer(const std::string& key, int low, int high) const { return to_integer(key, json(key), low, high); }
  double number(const std::string& key) const { return to_number(key, json(key)); }

  std::vector<Json> list(const std::string& key) const {
    const Json parsed = json(key);
    if (!parsed.is_array()) fail_at(key, "is not a list");
    return parsed.get<std::vector<Json>>();
  }

  std::array<double, 3> colour(const std::string& key) const {
    const auto values = list(key);
    if (values.size() != 3) fail_at(key, "does not have three values");
    return {to_number(key, values[0]), to_number(key, values[1]), to_number(key, values[2])};
  }

  Ratio ratio(const std::string& key, const Json& value) const {
    if (!value.is_array() || value.size() != 2) fail_at(key, "is not a list of pairs");
    return {to_number(key, value[0]), to_number(key, value[1])};
  }

  int to_integer(const std::string& key, const Json& value, int64_t low, int64_t high) const {
    if (!value.is_number_integer() || value.get<double>() < static_cast<double>(low) ||
        value.get<double>() > static_cast<double>(high))
      bad_input("{}: metadata effdet.{} is not an integer in {}..{}", source_, key, low, high);
    return value.get<int>();
  }

  double to_number(const std::string& key, const Json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) fail_at(key, "is not a number");
    return value.get<double>();
  }

  [[noreturn]] void fail_at(const std::string& key, std::string_view why) const {
    bad_input("{}: metadata effdet.{} {}", source_, key, why);
  }

 private:
  static constexpr size_t kMaxText = size_t{16} << 20;
  const Metadata& metadata_;
  std::string_view source_;
};

void read_anchors(const MetadataReader& reader, ModelInfo& info) {
  info.min_level = reader.integer("min_level", 0, kMaxLevel);
  info.max_level = reader.integer("max_level", info.min_level, kMaxLevel);
  info.num_scales = reader.integer("num_scales", 1, kMaxScales);
  for (const Json& pair : reader.list("aspect_ratios"))
    info.aspect_ratios.push_back(reader.ratio("aspect_ratios", pair));
  if (info.aspect_ratios.empty() || info.aspect_ratios.size() > kMaxScales)
    reader.fail_at("aspect_ratios", "has no sensible number of entries");
  for (const auto& [w, h] : info.aspect_ratios)
    if (w <= 0 || h <= 0) reader.fail_at("aspect_ratios", "is not positive");
  info.anchor_scale = reader.number("anchor_scale");
  if (info.anchor_scale <= 0) reader.fail_at("anchor_scale", "is not positive");
}

void read_preprocessing(const MetadataReader& reader, ModelInfo& info) {
  info.mean = reader.colour("mean");
  info.std = reader.colour("std");
  for (double std : info.std)
    if (std <= 0) reader.fail_at("std", "is not positive");
  const auto fill = reader.list("fill");
  if (fill.size() != 3) reader.fail_at("fill", "does not have three values");
  for (size_t i = 0; i < 3; ++i) info.fill[i] = static_cast<uint8_t>(reader.to_integer("fill", fill[i], 0, 255));
  const std::string& interpolation = reader.text("interpolation");
  if (interpolation == kSampled)
    info.interpolation = Interpolation::kSampled;
  else if (interpolation != kAntialiased)
    reader.fail_at("interpolation", fmt::format("is neither {} nor {}", kAntialiased, kSampled));
}

/// Files of older versions do not have the key, and those of EfficientDets do not need it.
void read_family(const MetadataReader& reader, ModelInfo& info) {
  if (!reader.has("family")) return;
  const Family* family = find_family(reader.text("family"));
  if (family == nullptr) reader.fail_at("family", "is none that this version knows");
  info.decoding = family->decode;
}

/// Files of older versions do not have the key, and those of most variants do not need it.
void read_selection(const MetadataReader& reader, ModelInfo& info) {
  if (!reader.has("selection")) return;
  if (reader.text("selection") != kBestClass) reader.fail_at("selection", fmt::format("is not {}", kBestClass));
  info.selection = Selection::kBestClass;
}

void read_classes(const MetadataReader& reader, ModelInfo& info) {
  info.num_classes = reader.integer("num_classes", 1, kMostClasses);
  info.label_offset = reader.integer("label_offset", -kMostClasses, kMostClasses);
  for (const Json& name : reader.list("class_names")) {
    if (!name.is_string()) reader.fail_at("class_names", "is not a list of strings");
    info.class_names.push_back(name.get<std::string>());
  }
  if (!info.class_names.empty() && info.class_names.size() != static_cast<size_t>(info.num_classes))
    reader.fail_at("class_names", "does not have one name a class");
}

}  // namespace

std::optional<int64_t> parameters_of(const Metadata& metadata) {
  const auto found = metadata.find(kParametersKey);
  if (found == metadata.end()) return std::nullopt;
  const std::string& text = found->second;
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

ModelInfo info_of(const ModelConfig& config) {
  const Variant& variant = config.variant;
  ModelInfo info;
  info.variant = variant.name;
  info.decoding = family_of(variant).decode;
  info.num_classes = config.num_classes;
  info.image_height = config.image_height;
  info.image_width = config.image_width;
  info.min_level = variant.min_level;
  info.max_level = variant.max_level;
  info.num_scales = config.num_scales;
  info.aspect_ratios = config.aspect_ratios;
  info.anchor_scale = config.anchor_scale;
  info.mean = variant.mean;
  info.std = variant.std;
  info.fill = variant.fill;
  info.interpolation = variant.interpolation;
  info.selection = variant.selection;
  info.class_names = config.class_names;
  info.label_offset = config.label_offset;
  return info;
}

Metadata metadata_of(const ModelConfig& config) {
  const ModelInfo info = info_of(config);
  // Class names may be any bytes: what is not UTF-8 is replaced rather than refused.
  const auto text = [](const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); };
  Metadata metadata = {
      {"effdet.variant", info.variant},
      {"effdet.num_classes", std::to_string(info.num_classes)},
      {"effdet.image_size", text({info.image_height, info.image_width})},
      {"effdet.min_level", std::to_string(info.min_level)},
      {"effdet.max_level", std::to_string(info.max_level)},
      {"effdet.num_scales", std::to_string(info.num_scales)},
      {"effdet.aspect_ratios", text(info.aspect_ratios)},
      {"effdet.anchor_scale", text(info.anchor_scale)},
      {"effdet.mean", text(info.mean)},
      {"effdet.std", text(info.std)},
      {"effdet.fill", text(info.fill)},
      {"effdet.interpolation", std::string(info.interpolation == Interpolation::kSampled ? kSampled : kAntialiased)},
      {"effdet.class_names", text(info.class_names)},
      {"effdet.label_offset", std::to_string(info.label_offset)},
  };
  if (info.selection == Selection::kBestClass) metadata["effdet.selection"] = kBestClass;
  if (config.variant.family != kEfficientDet) metadata["effdet.family"] = config.variant.family;
  return metadata;
}

bool has_model_info(const Metadata& metadata) { return metadata.contains("effdet.variant"); }

ModelInfo parse_metadata(const Metadata& metadata, std::string_view source) {
  const MetadataReader reader(metadata, source);
  ModelInfo info;
  info.variant = reader.text("variant");
  read_family(reader, info);
  const auto size = reader.list("image_size");
  if (size.size() != 2) reader.fail_at("image_size", "is not height and width");
  info.image_height = reader.to_integer("image_size", size[0], 1, kLargestSide);
  info.image_width = reader.to_integer("image_size", size[1], 1, kLargestSide);
  read_anchors(reader, info);
  read_preprocessing(reader, info);
  read_selection(reader, info);
  read_classes(reader, info);
  return info;
}

}  // namespace effdet::model
