#include "model/infer_variant.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/error.h"
#include "model/builder.h"
#include "model/tensor_names.h"

namespace effdet::model {
namespace {

/// What the last convolutions of the heads tell.
struct HeadFacts {
  int num_classes;
  int anchors;
  int64_t fpn_channels;
  Naming naming;
};

/// What the last convolution of a head is called, in the variants of that naming: each name once.
std::vector<std::string> predict_names(std::string_view head, std::optional<Naming> naming) {
  std::vector<std::string> names;
  for (const Variant& variant : variants()) {
    if (variant.naming != naming.value_or(variant.naming)) continue;
    std::string name = TensorNames(variant).of(fmt::format("{}.{}.weight", head, predict_module(variant.separable)));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

/// The last convolution of a head, be it separable or not.
const NamedTensor& predict_weight(const Checkpoint& checkpoint, std::string_view head, std::optional<Naming> naming) {
  const std::vector<std::string> names = predict_names(head, naming);
  for (const std::string& name : names) {
    for (const NamedTensor& named : checkpoint.tensors) {
      if (named.name != name) continue;
      if (named.tensor.rank() != 4)
        bad_input("{}: {} has shape {}, not that of a convolution", checkpoint.path, name,
                  shape_text(named.tensor.shape()));
      return named;
    }
  }
  for (const ForeignTensor& foreign : checkpoint.foreign)
    if (std::ranges::find(names, foreign.name) != names.end())
      fail(ErrorCode::kUnsupported, "{}: {} is {}, a type that weights do not have; convert it with tensor.float()",
           checkpoint.path, foreign.name, foreign.type);
  bad_input("{}: is not an EfficientDet checkpoint: of its {} tensors none is {}", checkpoint.path,
            checkpoint.tensors.size(), fmt::join(names, " or "));
}

/// Whose names a checkpoint has that has this name for the last convolution of its class head.
Naming naming_of(std::string_view class_name) {
  const auto effdets = predict_names("class_net", Naming::kEffdet);
  return std::ranges::find(effdets, class_name) != effdets.end() ? Naming::kEffdet : Naming::kZylo117;
}

HeadFacts head_facts(const Checkpoint& checkpoint) {
  const auto& [class_name, classes] = predict_weight(checkpoint, "class_net", std::nullopt);
  const Naming naming = naming_of(class_name);
  const auto& [box_name, boxes] = predict_weight(checkpoint, "box_net", naming);
  const int64_t anchors = boxes.dim(0) / 4;
  if (boxes.dim(0) % 4 != 0 || anchors < 1 || anchors > kMaxAnchors)
    bad_input("{}: {} has {} outputs, not four for each of 1..{} anchors", checkpoint.path, box_name, boxes.dim(0),
              kMaxAnchors);
  const int64_t num_classes = classes.dim(0) / anchors;
  if (classes.dim(0) % anchors != 0 || num_classes < 1 || num_classes > kMaxClasses)
    bad_input("{}: {} has {} outputs, not 1..{} classes for each of {} anchors", checkpoint.path, class_name,
              classes.dim(0), kMaxClasses, anchors);
  return {static_cast<int>(num_classes), static_cast<int>(anchors), classes.dim(1), naming};
}

/// Which shapes a model's tensors have depends on the number of anchors alone, not on their form.
ModelConfig probe_config(const Variant& variant, const HeadFacts& facts) {
  ModelConfig config = default_config(variant, facts.num_classes);
  if (config.anchors() != facts.anchors) {
    config.num_scales = 1;
    config.aspect_ratios.assign(static_cast<size_t>(facts.anchors), {1.0, 1.0});
  }
  return config;
}

KeyReport compare(const Checkpoint& checkpoint, const Variant& variant, const HeadFacts& facts) {
  return compare_tensors(checkpoint, expected_weights(probe_config(variant, facts)));
}

/// Whether it is worth the comparison.
bool is_candidate(const Variant& variant, const HeadFacts& facts) {
  return variant.naming == facts.naming && variant.fpn_channels == facts.fpn_channels;
}

std::vector<const Variant*> fitting(const Checkpoint& checkpoint, const HeadFacts& facts) {
  std::vector<const Variant*> fits;
  for (const Variant& variant : variants())
    if (is_candidate(variant, facts) && compare(checkpoint, variant, facts).fits()) fits.push_back(&variant);
  return fits;
}

std::string join_names(const std::vector<const Variant*>& list) {
  std::string text;
  for (const Variant* variant : list) {
    if (!text.empty()) text += ", ";
    text += variant->name;
  }
  return text;
}

/// The file's name without folder, in lower case, with '_' for everything that is no letter or digit, and around it.
std::string normalised_file_name(const std::string& path) {
  std::string name = "_" + std::filesystem::path(path).filename().string() + "_";
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(c)) : '_';
  return name;
}

/// "d7" for tf_efficientdet_d7 and zylo117_efficientdet_d7: how files are called for short. Others have no short name.
std::string_view short_name(std::string_view name) {
  for (const std::string_view prefix : {"tf_efficientdet_", "zylo117_efficientdet_"})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return {};
}

/// The candidate with the longest name, full or short, that the file's name contains; or null.
const Variant* named_by_file(const std::vector<const Variant*>& candidates, const std::string& path) {
  const std::string file = normalised_file_name(path);
  const auto longest = [&](auto&& is_named) {
    const Variant* best = nullptr;
    for (const Variant* variant : candidates)
      if (is_named(variant->name) && (best == nullptr || variant->name.size() > best->name.size())) best = variant;
    return best;
  };
  const Variant* full = longest([&](std::string_view name) { return file.find(name) != std::string::npos; });
  if (full != nullptr) return full;
  return longest([&](std::string_view name) {
    const std::string_view brief = short_name(name);
    return !brief.empty() && file.find(fmt::format("_{}_", brief)) != std::string::npos;
  });
}

/// Nothing fits: reports on the variant that comes closest, of those with the right width where there are any.
[[noreturn]] void fail_unfit(const Checkpoint& checkpoint, const HeadFacts& facts) {
  const Variant* nearest = nullptr;
  KeyReport report;
  const auto consider = [&](const Variant& variant) {
    KeyReport candidate = compare(checkpoint, variant, facts);
    if (nearest != nullptr && candidate.problems() >= report.problems()) return;
    nearest = &variant;
    report = std::move(candidate);
  };
  for (const Variant& variant : variants())
    if (is_candidate(variant, facts)) consider(variant);
  if (nearest == nullptr)
    for (const Variant& variant : variants())
      if (variant.naming == facts.naming) consider(variant);
  fail(report.code(), "{}: fits no known variant; nearest is {} with {} classes: {}", checkpoint.path, nearest->name,
       facts.num_classes, report.text());
}

const Variant& requested_variant(const Checkpoint& checkpoint, const HeadFacts& facts, std::string_view model) {
  const Variant* variant = find_variant(model);
  if (variant == nullptr) {
    std::vector<const Variant*> all;
    for (const Variant& known : variants()) all.push_back(&known);
    fail(ErrorCode::kUsage, "unknown model '{}'; known are {}", model, join_names(all));
  }
  const KeyReport report = compare(checkpoint, *variant, facts);
  if (report.fits()) return *variant;
  const std::string others = join_names(fitting(checkpoint, facts));
  fail(report.code(), "{}: does not fit {}: {}; {}", checkpoint.path, model, report.text(),
       others.empty() ? "no known variant fits" : "it fits " + others);
}

const Variant& resolve(const Checkpoint& checkpoint, const HeadFacts& facts, std::string_view preferred) {
  const auto candidates = fitting(checkpoint, facts);
  if (candidates.empty()) fail_unfit(checkpoint, facts);
  if (candidates.size() == 1) return *candidates.front();
  if (const Variant* named = named_by_file(candidates, checkpoint.path)) return *named;
  for (const Variant* candidate : candidates)
    if (candidate->name == preferred) return *candidate;
  bad_input("{}: fits {}; say which with --model", checkpoint.path, join_names(candidates));
}

}  // namespace

std::vector<const Variant*> fitting_variants(const Checkpoint& checkpoint) {
  return fitting(checkpoint, head_facts(checkpoint));
}

InferredModel infer_variant(const Checkpoint& checkpoint, std::string_view model, std::string_view preferred) {
  const HeadFacts facts = head_facts(checkpoint);
  const Variant& variant =
      model.empty() ? resolve(checkpoint, facts, preferred) : requested_variant(checkpoint, facts, model);
  return {&variant, facts.num_classes, facts.anchors};
}

ModelConfig config_of(const InferredModel& inferred, const AnchorOptions& anchors) {
  ModelConfig config = default_config(*inferred.variant, inferred.num_classes);
  apply_anchors(anchors, config);
  if (config.anchors() != inferred.anchors)
    fail(ErrorCode::kUsage,
         "the checkpoint has {} anchors a cell, but {} scales x {} aspect ratios are {}: say with --scales, "
         "--aspect-ratios and --anchor-scale what it was trained with",
         inferred.anchors, config.num_scales, config.aspect_ratios.size(), config.anchors());
  return config;
}

}  // namespace effdet::model
