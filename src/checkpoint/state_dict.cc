#include "checkpoint/state_dict.h"

#include <algorithm>
#include <array>

#include "checkpoint/quoted.h"

namespace effdet {
namespace {

// In order of preference, as timm's load_state_dict, and "ema" of other trainers.
constexpr std::array<std::string_view, 2> kPlainKeys = {"state_dict", "model"};
constexpr std::array<std::string_view, 3> kEmaKeys = {"state_dict_ema", "model_ema", "ema"};

// torch.compile around DistributedDataParallel, and the other way round, as timm's clean_state_dict.
constexpr std::array<std::string_view, 3> kPrefixes = {"_orig_mod.", "module.", "_orig_mod."};

// effdet's DetBenchTrain and DetBenchPredict hold the network as "model", and its anchor boxes, which are no weights.
constexpr std::string_view kBenchPrefix = "model.";
constexpr std::array<std::string_view, 2> kBenchAnchors = {"anchors.boxes", "anchor_labeler.anchors.boxes"};

/// The dict under key; unset where there is none.
Value find_dict(std::span<const Value> items, std::string_view key, const PickleSource& source) {
  Value found;
  for (size_t i = 0; i < items.size(); i += 2) {
    if (items[i].kind != ValueKind::kText || items[i].as_text() != key || items[i + 1].kind != ValueKind::kDict)
      continue;
    if (found.kind != ValueKind::kUnset)
      source.fail_at(source.offset_of(items[i].as_text()), "the key {} is there twice", quote_text(key));
    found = items[i + 1];
  }
  return found;
}

struct Container {
  std::string_view key;
  Value dict;
};

Container find_container(Value root, const ValueStore& store, bool use_ema, const PickleSource& source) {
  std::vector<std::string_view> keys(kPlainKeys.begin(), kPlainKeys.end());
  keys.insert(use_ema ? keys.begin() : keys.end(), kEmaKeys.begin(), kEmaKeys.end());
  for (const std::string_view key : keys) {
    const Value dict = find_dict(store.items(root), key, source);
    if (dict.kind == ValueKind::kDict) return {key, dict};
  }
  return {"", root};
}

StateDictEntry read_entry(Value key, Value value, const PickleSource& source) {
  if (key.kind != ValueKind::kText)
    source.fail_at(0, "a key of the state_dict is {} instead of a string", kind_name(key.kind));
  const std::string_view name = key.as_text();
  const uint64_t offset = source.offset_of(name);
  if (!is_clean_utf8(name)) source.fail_at(offset, "the key {} of the state_dict is not UTF-8", quote_text(name));
  if (value.kind != ValueKind::kTensor) {
    source.fail_at(offset,
                   "the key {} holds {} instead of a tensor; the file is not a state_dict, nor a dict with one under "
                   "'state_dict' or 'model'",
                   quote_text(name), kind_name(value.kind));
  }
  return {name, value.index};
}

void check_unique(const std::vector<StateDictEntry>& entries, const PickleSource& source) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const auto& entry : entries) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    source.fail_at(source.offset_of(*twice), "the key {} of the state_dict is there twice", quote_text(*twice));
}

void strip_prefixes(std::vector<StateDictEntry>& entries) {
  for (const std::string_view prefix : kPrefixes) {
    const auto has_it = [&](const auto& entry) {
      return entry.name.size() > prefix.size() && entry.name.starts_with(prefix);
    };
    if (!std::all_of(entries.begin(), entries.end(), has_it)) continue;
    for (auto& entry : entries) entry.name.remove_prefix(prefix.size());
  }
}

void strip_bench(std::vector<StateDictEntry>& entries) {
  const auto is_anchors = [](const auto& entry) {
    return std::find(kBenchAnchors.begin(), kBenchAnchors.end(), entry.name) != kBenchAnchors.end();
  };
  const auto is_model = [](const auto& entry) {
    return entry.name.size() > kBenchPrefix.size() && entry.name.starts_with(kBenchPrefix);
  };
  const bool bench = std::any_of(entries.begin(), entries.end(), is_model) &&
                     std::all_of(entries.begin(), entries.end(),
                                 [&](const auto& entry) { return is_model(entry) || is_anchors(entry); });
  if (!bench) return;
  std::erase_if(entries, is_anchors);
  for (auto& entry : entries) entry.name.remove_prefix(kBenchPrefix.size());
}

}  // namespace

StateDict select_state_dict(Value root, const ValueStore& store, const ReadOptions& options, const PickleSource& source,
                            Budget& budget) {
  if (root.kind != ValueKind::kDict)
    source.fail_at(0, "the pickle is {} instead of a state_dict", kind_name(root.kind));
  const auto [key, dict] = find_container(root, store, options.use_ema, source);
  const auto items = store.items(dict);
  if (items.empty()) source.fail_at(0, "the state_dict {} is empty", quote_text(key));

  StateDict result{std::string(key), {}};
  // 24 bytes an entry stay; 16 are taken by check_unique for a moment.
  budget.charge(items.size() / 2 * (sizeof(StateDictEntry) + sizeof(std::string_view)));
  result.entries.reserve(items.size() / 2);
  for (size_t i = 0; i < items.size(); i += 2) result.entries.push_back(read_entry(items[i], items[i + 1], source));
  check_unique(result.entries, source);
  budget.release(items.size() / 2 * sizeof(std::string_view));
  strip_prefixes(result.entries);
  strip_bench(result.entries);
  return result;
}

}  // namespace effdet
