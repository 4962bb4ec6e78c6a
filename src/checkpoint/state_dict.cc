// Chooses the state_dict among a checkpoint's dicts, prefers averaged weights, and strips wrappers' prefixes.
#include "checkpoint/state_dict.h"

#include <algorithm>
#include <array>

#include "checkpoint/hints.h"
#include "checkpoint/quoted.h"

namespace effdet::checkpoint {
namespace {

// Keys under which trainers keep the weights, in order of preference: timm, Lightning and many scripts first.
constexpr std::array<std::string_view, 10> kPlainKeys = {
    "state_dict", "model_state_dict", "model_state", "model",      "net",
    "network",    "weights",          "params",      "checkpoint", "module"};
constexpr std::array<std::string_view, 7> kEmaKeys = {
    "state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema", "params_ema", "shadow"};
constexpr int kDeepestContainer = 8;

// Modules around the network that all keys begin with: torch.compile, DataParallel, effdet's DetBench and Lightning.
constexpr std::array<std::string_view, 6> kWrappers = {"_orig_mod.", "module.",  "model.",
                                                       "net.",       "network.", "detector."};
// The averaged copy in a module that holds the network twice.
constexpr std::array<std::string_view, 3> kEmaWrappers = {"ema_model.", "model_ema.", "ema."};

// Wrappers' own tensors: effdet's benches hold anchor boxes, torch's AveragedModel the number of steps.
constexpr std::array<std::string_view, 2> kBookkeeping = {"anchors.boxes", "n_averaged"};

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
  std::string key;
  Value dict;
};

/// The foreign tensors among a dict's values.
void append_foreign(std::span<const Value> items, const ValueStore& store, std::vector<ForeignTensor>& list) {
  constexpr size_t kMostNames = 64;
  for (size_t i = 0; i < items.size() && list.size() < kMostNames; i += 2)
    if (items[i].kind == ValueKind::kText && items[i + 1].kind == ValueKind::kForeign)
      list.push_back({std::string(items[i].as_text()), std::string(store.foreign_type_of(items[i + 1].index))});
}

/// The dict of weights inside of dict; unset where dict holds none under a known key.
Container find_inner(Value dict, const ValueStore& store, bool use_ema, const PickleSource& source) {
  std::vector<std::string_view> keys(kPlainKeys.begin(), kPlainKeys.end());
  keys.insert(use_ema ? keys.begin() : keys.end(), kEmaKeys.begin(), kEmaKeys.end());
  for (const std::string_view key : keys) {
    const Value inner = find_dict(store.items(dict), key, source);
    if (inner.kind == ValueKind::kDict) return {std::string(key), inner};
  }
  return {};
}

/// Goes down as long as there is a dict under a known key: {"ema": {"module": {...}}}. Notes what stands beside.
Container find_container(Value root, const ValueStore& store, bool use_ema, const PickleSource& source,
                         StateDict& result) {
  Container found{"", root};
  for (int depth = 0;; ++depth) {
    const Container inner = find_inner(found.dict, store, use_ema, source);
    if (inner.dict.kind != ValueKind::kDict) return found;
    if (depth == kDeepestContainer) source.fail_at(0, "dicts are nested without end under {}", quote_text(found.key));
    append_hints(found.dict, store, result.hints);
    append_foreign(store.items(found.dict), store, result.foreign_beside);
    found = {found.key.empty() ? inner.key : found.key + "." + inner.key, inner.dict};
  }
}

StateDictEntry read_entry(Value key, Value value, const PickleSource& source) {
  if (key.kind != ValueKind::kText)
    source.fail_at(0, "a key of the state_dict is {} instead of a string", kind_name(key.kind));
  const std::string_view name = key.as_text();
  const uint64_t offset = source.offset_of(name);
  if (!is_clean_utf8(name)) source.fail_at(offset, "the key {} of the state_dict is not UTF-8", quote_text(name));
  if (value.kind == ValueKind::kForeign) return {name, value.index, true};
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

bool begins_with(const StateDictEntry& entry, std::string_view prefix) {
  return entry.name.size() > prefix.size() && entry.name.starts_with(prefix);
}

bool is_bookkeeping(const StateDictEntry& entry) {
  return std::any_of(kBookkeeping.begin(), kBookkeeping.end(), [&](std::string_view tail) {
    return entry.name.ends_with(tail) &&
           (entry.name.size() == tail.size() || entry.name[entry.name.size() - tail.size() - 1] == '.');
  });
}

/// Removes the prefix where all entries but bookkeeping and few strangers have it, and these with it; false where not.
/// Strangers are what a trainer's module holds beside the network: weights of losses, states of metrics.
bool peel(std::vector<StateDictEntry>& entries, std::string_view prefix) {
  constexpr size_t kMostStrangers = 20;  // one of so many
  const auto lacks_it = [&](const auto& entry) { return !begins_with(entry, prefix); };
  size_t inside = 0, strangers = 0;
  for (const auto& entry : entries)
    if (!is_bookkeeping(entry)) ++(lacks_it(entry) ? strangers : inside);
  if (inside == 0 || strangers * kMostStrangers > inside) return false;
  std::erase_if(entries, [&](const auto& entry) { return lacks_it(entry) || is_bookkeeping(entry); });
  for (auto& entry : entries) entry.name.remove_prefix(prefix.size());
  return true;
}

/// Of a network that is there twice, plain and averaged, one stays.
void choose_copy(std::vector<StateDictEntry>& entries, bool use_ema) {
  for (const std::string_view prefix : kEmaWrappers) {
    const auto is_averaged = [&](const auto& entry) { return begins_with(entry, prefix); };
    const auto averaged = std::count_if(entries.begin(), entries.end(), is_averaged);
    const auto plain = std::count_if(entries.begin(), entries.end(),
                                     [&](const auto& entry) { return !is_averaged(entry) && !is_bookkeeping(entry); });
    if (averaged == 0 || plain == 0) continue;
    std::erase_if(entries, [&](const auto& entry) { return is_averaged(entry) != use_ema; });
  }
}

}  // namespace

void unwrap_names(std::vector<StateDictEntry>& entries, bool use_ema) {
  choose_copy(entries, use_ema);
  for (bool peeled = true; peeled;) {
    const auto peel_one = [&](std::string_view prefix) { return peel(entries, prefix); };
    peeled = std::any_of(kWrappers.begin(), kWrappers.end(), peel_one) ||
             std::any_of(kEmaWrappers.begin(), kEmaWrappers.end(), peel_one);
  }
}

std::vector<ForeignTensor> take_foreign(std::vector<StateDictEntry>& entries,
                                        const std::function<std::string_view(uint32_t)>& type_of,
                                        std::string_view file) {
  std::vector<ForeignTensor> foreign;
  for (const StateDictEntry& entry : entries)
    if (entry.foreign) foreign.push_back({std::string(entry.name), std::string(type_of(entry.tensor))});
  std::erase_if(entries, [](const StateDictEntry& entry) { return entry.foreign; });
  if (entries.empty() && !foreign.empty())
    fail(ErrorCode::kUnsupported,
         "{}: none of the {} tensors has a type that weights have; the first, {}, is {}: convert them, for instance "
         "with "
         "tensor.to_dense().float()",
         file, foreign.size(), quote_text(foreign[0].name), foreign[0].type);
  return foreign;
}

StateDict select_state_dict(Value root, const ValueStore& store, const ReadOptions& options, const PickleSource& source,
                            Budget& budget) {
  if (root.kind != ValueKind::kDict)
    source.fail_at(0, "the pickle is {} instead of a state_dict", kind_name(root.kind));
  StateDict result;
  const auto [key, dict] = find_container(root, store, options.use_ema, source, result);
  const auto items = store.items(dict);
  if (items.empty()) source.fail_at(0, "the state_dict {} is empty", quote_text(key));

  result.container = key;
  // Entries stay; 16 bytes of each are taken by check_unique for a moment.
  budget.charge(items.size() / 2 * (sizeof(StateDictEntry) + sizeof(std::string_view)));
  result.entries.reserve(items.size() / 2);
  for (size_t i = 0; i < items.size(); i += 2) result.entries.push_back(read_entry(items[i], items[i + 1], source));
  check_unique(result.entries, source);
  budget.release(items.size() / 2 * sizeof(std::string_view));
  if (!options.keep_names) unwrap_names(result.entries, options.use_ema);
  return result;
}

}  // namespace effdet::checkpoint
