// Finds trainers' arguments and configurations among a pickle's values, as JSON text.
#include "checkpoint/hints.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "checkpoint/quoted.h"

namespace effdet::checkpoint {
namespace {

using Json = nlohmann::json;

// Where trainers keep what the model was made with: timm and effdet, Lightning, others.
constexpr std::array<std::string_view, 12> kGroups = {"args",       "config",          "cfg",    "hyper_parameters",
                                                      "hparams",    "hyperparameters", "opt",    "model_config",
                                                      "model_args", "model_kwargs",    "params", "pretrained_cfg"};
constexpr size_t kMostHints = 512, kLongestText = 256, kMostItems = 32;
constexpr int kDeepest = 3;                           // groups within groups: config.norm_kwargs.eps
constexpr size_t kLongestMetadata = size_t{1} << 16;  // of a text that may be JSON

std::optional<std::string_view> clean_text(Value value) {
  if (value.kind != ValueKind::kText || value.index > kLongestText || !is_clean_utf8(value.as_text())) return {};
  return value.as_text();
}

/// The attribute of a record, or unset.
Value attribute(Value record, std::string_view name, const ValueStore& store) {
  const auto items = store.items(record);
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].kind == ValueKind::kText && items[i].as_text() == name) return items[i + 1];
  return {};
}

/// OmegaConf's objects stand for their content.
Value unwrap(Value value, const ValueStore& store) {
  for (int depth = 0; value.kind == ValueKind::kRecord && depth < 2 * kDeepest; ++depth) {
    Value inner = attribute(value, "_content", store);
    if (inner.kind == ValueKind::kUnset) inner = attribute(value, "_val", store);
    if (inner.kind == ValueKind::kUnset) break;
    value = inner;
  }
  return value;
}

/// Text, numbers, and lists of these that are not too long; else nothing.
std::optional<Json> to_json(Value value, const ValueStore& store, int depth) {
  value = unwrap(value, store);
  switch (value.kind) {
    case ValueKind::kBool:
      return Json(value.integer != 0);
    case ValueKind::kInt:
      return Json(value.integer);
    case ValueKind::kFloat:
      if (!std::isfinite(value.real)) return std::nullopt;
      return Json(value.real);
    case ValueKind::kText:
      if (const auto text = clean_text(value)) return Json(std::string(*text));
      return std::nullopt;
    case ValueKind::kTuple:
    case ValueKind::kList:
      break;
    default:
      return std::nullopt;
  }
  const auto items = store.items(value);
  if (items.size() > kMostItems || depth == kDeepest) return std::nullopt;
  Json list = Json::array();
  for (const Value& item : items) {
    auto part = to_json(item, store, depth + 1);
    if (!part) return std::nullopt;
    list.push_back(std::move(*part));
  }
  return list;
}

bool is_group(std::string_view key) { return std::ranges::find(kGroups, key) != kGroups.end(); }

/// prefix: the names of the groups around, with a dot after each.
void append(Value dict, const std::string& prefix, int depth, const ValueStore& store, std::vector<Hint>& hints) {
  const auto items = store.items(dict);
  for (size_t i = 0; i + 1 < items.size() && hints.size() < kMostHints; i += 2) {
    const auto key = clean_text(items[i]);
    if (!key) continue;
    const Value value = unwrap(items[i + 1], store);
    const std::string name = prefix + std::string(*key);
    if (value.kind == ValueKind::kDict || value.kind == ValueKind::kRecord) {
      if (depth < kDeepest && (depth > 0 || is_group(*key))) append(value, name + ".", depth + 1, store, hints);
    } else if (const auto json = to_json(value, store, 0)) {
      hints.push_back({name, json->dump()});
    }
  }
}

/// Whether it may be written out: no deeper than lists of lists, as writing recurses.
bool is_short(const Json& value, int depth) {
  if (!value.is_array()) return !value.is_null() && !value.is_object();
  return depth < kDeepest && value.size() <= kMostItems &&
         std::ranges::all_of(value, [depth](const Json& item) { return is_short(item, depth + 1); });
}

void append_json(const Json& object, const std::string& prefix, int depth, std::vector<Hint>& hints) {
  for (const auto& [key, value] : object.items()) {
    if (hints.size() == kMostHints || key.size() > kLongestText) return;
    if (value.is_object()) {
      if (depth < kDeepest) append_json(value, prefix + key + ".", depth + 1, hints);
    } else if (is_short(value, 0)) {
      hints.push_back({prefix + key, value.dump()});
    }
  }
}

}  // namespace

void append_hints(Value dict, const ValueStore& store, std::vector<Hint>& hints) { append(dict, "", 0, store, hints); }

void append_hint(std::string_view key, std::string_view text, std::vector<Hint>& hints) {
  if (hints.size() >= kMostHints || key.size() > kLongestText || !is_clean_utf8(key) || !is_clean_utf8(text)) return;
  if (text.starts_with('{') && text.size() <= kLongestMetadata) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) return append_json(json, std::string(key) + ".", 1, hints);
  }
  if (text.size() <= kLongestText) hints.push_back({std::string(key), Json(std::string(text)).dump()});
}

}  // namespace effdet::checkpoint
