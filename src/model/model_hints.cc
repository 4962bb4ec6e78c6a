// Reads a variant's name, class names and preprocessing out of a trainer's arguments.
#include "model/model_hints.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/ascii.h"

namespace effdet::model {
namespace {

// What the variant's name stands under.
constexpr std::array<std::string_view, 9> kNameKeys = {
    "model", "arch", "architecture", "model_name", "model_architecture", "name", "model_type", "network", "variant"};
// A mean or deviation that stands alone may be one of anything.
constexpr std::array<std::string_view, 4> kOnlyInGroups = {"mean", "std", "interpolation", "fill_color"};

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// The variant of that name, however it is written: "timm/TF-EfficientDet-D0".
const Variant* variant_of(const std::string& json_text) {
  const auto json = nlohmann::json::parse(json_text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_string()) return nullptr;
  std::string name = lower_case(json.get<std::string>());
  name = name.substr(name.rfind('/') + 1);
  std::ranges::replace(name, '-', '_');
  return find_variant(name);
}

/// How much a key says: the configuration of the model itself most.
int weight_of(std::string_view key) {
  const std::string_view group = key.substr(0, key.find('.'));
  if (group == key) return 0;
  if (group == "config" || group == "cfg" || group == "model_config" || group == "effdet") return 3;
  return group == "args" ? 2 : 1;
}

/// The key without its groups, as far as it is known: "norm_kwargs.eps" of "config.norm_kwargs.eps".
std::string_view setting_name(std::string_view key) {
  const bool alone = key.find('.') == key.npos;
  for (std::string_view name = key;; name.remove_prefix(name.find('.') + 1)) {
    if (is_setting(name)) return alone && is_among(kOnlyInGroups, name) ? std::string_view() : name;
    if (name.find('.') == name.npos) return {};
  }
}

}  // namespace

ModelHints read_hints(const checkpoint::Checkpoint& checkpoint) {
  std::vector<const checkpoint::Hint*> hints;
  for (const checkpoint::Hint& hint : checkpoint.hints) hints.push_back(&hint);
  std::ranges::stable_sort(hints, {}, [](const checkpoint::Hint* hint) { return weight_of(hint->name); });
  ModelHints result;
  for (const checkpoint::Hint* hint : hints) {
    const std::string_view last = std::string_view(hint->name).substr(hint->name.rfind('.') + 1);
    if (is_among(kNameKeys, last)) {
      if (const Variant* variant = variant_of(hint->value))
        result.names.insert(result.names.begin(), {variant, hint->name});
    } else if (const std::string_view name = setting_name(hint->name); !name.empty()) {
      result.settings.push_back({std::string(name), hint->value});
      result.keys.push_back(hint->name);
    }
  }
  return result;
}

}  // namespace effdet::model
