// Narrows the table of variants down by what a checkpoint's tensors show.
#include "model/infer_variant.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/error.h"
#include "model/builder.h"
#include "model/family.h"
#include "model/model_hints.h"
#include "model/tensor_names.h"

namespace effdet::model {
namespace {

/// Which shapes a model's tensors have depends on the number of anchors alone, not on their form, and not on the image.
ModelConfig probe_config(ModelConfig config, const CheckpointFacts& facts) {
  config.image_height = config.variant.image_height;
  config.image_width = config.variant.image_width;
  if (config.anchors() != facts.anchors) {
    config.num_scales = 1;
    config.aspect_ratios.assign(static_cast<size_t>(facts.anchors), {1.0, 1.0});
  }
  return config;
}

KeyReport compare(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config, const CheckpointFacts& facts) {
  return compare_tensors(checkpoint, expected_weights(probe_config(config, facts)));
}

/// Gives no content, and up at the first tensor that the checkpoint does not have.
class FitProbe : public WeightSource {
 public:
  struct Misfit {};

  explicit FitProbe(const checkpoint::Checkpoint& checkpoint) : weights_(checkpoint, "") {}

  Tensor tensor(const std::string& name, const Shape& shape) override {
    if (weights_.find(name, shape) == nullptr) throw Misfit();
    return Tensor(DType::kF32, shape, nullptr);
  }
  void finish() override {
    if (!weights_.report().fits()) throw Misfit();
  }

 private:
  CheckpointWeights weights_;
};

/// Whether a comparison would find nothing; most variants part at their first tensors.
bool fits(const checkpoint::Checkpoint& checkpoint, const ModelConfig& config, const CheckpointFacts& facts) {
  const ModelConfig probed = probe_config(config, facts);
  FitProbe probe(checkpoint);
  RenamedWeights renamed(probe, probed.variant);
  try {
    build_graph(probed, renamed);
  } catch (const FitProbe::Misfit&) {
    return false;
  }
  return true;
}

bool has_tensor(const checkpoint::Checkpoint& checkpoint, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(checkpoint.tensors, [&](const checkpoint::NamedTensor& named) {
    return std::ranges::find(names, named.name) != names.end();
  });
}

/// effdet's heads list their batch norms by repeat, each in a module "bn", or by level.
bool lists_norms_by_level(const checkpoint::Checkpoint& checkpoint) {
  return has_tensor(checkpoint, {"class_net.bn_rep.0.0.weight"});
}

/// Whether the heads' convolutions have biases though batch norms follow.
bool has_redundant_bias(const checkpoint::Checkpoint& checkpoint) {
  return has_tensor(checkpoint, {"class_net.conv_rep.0.conv_pw.bias", "class_net.conv_rep.0.conv.bias"});
}

/// What counts besides the tensors: the user's settings, then the file's.
struct Words {
  std::span<const Setting> user;
  const ModelHints& file;

  /// The file's settings are those of the variant that it names.
  std::span<const Setting> of_file(const Variant& variant) const {
    const auto is_it = [&](const ModelHints::Name& name) { return name.variant == &variant; };
    const bool count = file.names.empty() || std::ranges::any_of(file.names, is_it);
    return count ? std::span<const Setting>(file.settings) : std::span<const Setting>();
  }
  bool names(std::string_view setting, const Variant& variant) const {
    const auto is_it = [&](const Setting& s) { return s.name == setting; };
    return std::ranges::any_of(user, is_it) || std::ranges::any_of(of_file(variant), is_it);
  }
};

/// A variant of the table with the options that are said. Throws where one makes no sense.
ModelConfig config_with(const Variant& variant, const checkpoint::Checkpoint& checkpoint, const CheckpointFacts& facts,
                        const Words& words) {
  ModelConfig config = default_config(variant, facts.num_classes);
  for (const auto list : {words.user, words.of_file(variant)})
    for (const Setting& setting : list) apply_setting(setting, config);
  if (variant.naming == Naming::kEffdet) config.variant.head_bn_level_first = lists_norms_by_level(checkpoint);
  return config;
}

/// Whether the checkpoint's tensors are called as the variant's.
bool is_related(const Variant& variant, const CheckpointFacts& facts) {
  return variant.family == facts.family->name && variant.naming == facts.naming;
}

/// Whether it is worth the comparison.
bool is_plausible(const ModelConfig& config, const CheckpointFacts& facts) {
  return is_related(config.variant, facts) && config.variant.fpn_channels == facts.head_inputs;
}

/// Those with their variant's own biases first.
std::vector<Candidate> fitting(const checkpoint::Checkpoint& checkpoint, const CheckpointFacts& facts,
                               const Words& words) {
  const bool bias = has_redundant_bias(checkpoint);
  std::vector<Candidate> found;
  for (const Variant& variant : variants()) {
    ModelConfig config = config_with(variant, checkpoint, facts, words);
    const bool bias_is_open = variant.naming == Naming::kEffdet && !words.names("redundant_bias", variant);
    const bool other_bias = bias_is_open && config.variant.redundant_bias != bias;
    config.variant.redundant_bias ^= other_bias;
    if (is_plausible(config, facts) && fits(checkpoint, config, facts))
      found.push_back({std::move(config), other_bias});
  }
  std::ranges::stable_partition(found, [](const Candidate& candidate) { return !candidate.other_bias; });
  return found;
}

std::string join_names(const std::vector<Candidate>& list) {
  std::string text;
  for (const Candidate& candidate : list) text += (text.empty() ? "" : ", ") + candidate.text();
  return text;
}

/// What a user would have to know to choose between candidates.
std::string differences(const std::vector<Candidate>& list) {
  std::vector<std::string_view> names;
  const auto note = [&](std::string_view name, auto&& value_of) {
    const auto differs = [&](const Candidate& c) { return value_of(c.config) != value_of(list.front().config); };
    if (std::ranges::any_of(list, differs)) names.push_back(name);
  };
  note("padding", [](const ModelConfig& c) { return std::pair(c.variant.padding, c.variant.backbone.padding); });
  note("batch norms' epsilon", [](const ModelConfig& c) { return c.variant.backbone.bn_epsilon; });
  note("image size", [](const ModelConfig& c) { return std::pair(c.image_height, c.image_width); });
  note("anchors", [](const ModelConfig& c) { return std::tuple(c.anchor_scale, c.num_scales, c.aspect_ratios); });
  note("mean and deviation", [](const ModelConfig& c) { return std::pair(c.variant.mean, c.variant.std); });
  note("fill", [](const ModelConfig& c) { return c.variant.fill; });
  return fmt::format("{}", fmt::join(names, ", "));
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

/// The candidate with the longest name that is_named, or null.
template <typename F>
const Candidate* longest(const std::vector<Candidate>& candidates, F&& is_named) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates) {
    const std::string_view name = candidate.config.variant.name;
    if (is_named(candidate) && (best == nullptr || name.size() > best->config.variant.name.size())) best = &candidate;
  }
  return best;
}

/// By the whole name of the variant.
const Candidate* named_by_file(const std::vector<Candidate>& candidates, const std::string& path) {
  const std::string file = normalised_file_name(path);
  return longest(candidates, [&](const Candidate& c) { return file.find(c.config.variant.name) != std::string::npos; });
}

/// By its short name, which may stand for others as well: only variants as they are count.
const Candidate* named_by_file_for_short(const std::vector<Candidate>& candidates, const std::string& path) {
  const std::string file = normalised_file_name(path);
  return longest(candidates, [&](const Candidate& c) {
    const std::string_view brief = short_name(c.config.variant.name);
    return !c.other_bias && !brief.empty() && file.find(fmt::format("_{}_", brief)) != std::string::npos;
  });
}

/// Nothing fits: reports on the variant that comes closest, of those with the right width where there are any.
[[noreturn]] void fail_unfit(const checkpoint::Checkpoint& checkpoint, const CheckpointFacts& facts,
                             const Words& words) {
  std::string_view nearest;
  KeyReport report;
  const auto consider = [&](const ModelConfig& config) {
    KeyReport candidate = compare(checkpoint, config, facts);
    if (!nearest.empty() && candidate.problems() >= report.problems()) return;
    nearest = config.variant.name;
    report = std::move(candidate);
  };
  for (const bool any_width : {false, true}) {
    if (!nearest.empty()) break;
    for (const Variant& variant : variants()) {
      const ModelConfig config = config_with(variant, checkpoint, facts, words);
      if (any_width ? is_related(variant, facts) : is_plausible(config, facts)) consider(config);
    }
  }
  fail(report.code(), "{}: fits no known variant; nearest is {} with {} classes: {}", checkpoint.path, nearest,
       facts.num_classes, report.text());
}

const Variant& requested_variant(std::string_view model) {
  if (const Variant* variant = find_variant(model)) return *variant;
  std::vector<std::string_view> all;
  for (const Variant& known : variants()) all.push_back(known.name);
  fail(ErrorCode::kUsage, "unknown model '{}'; known are {}", model, fmt::join(all, ", "));
}

const Candidate* find_candidate(const std::vector<Candidate>& candidates, std::string_view name) {
  const auto found =
      std::ranges::find_if(candidates, [&](const Candidate& c) { return c.config.variant.name == name; });
  return found == candidates.end() ? nullptr : &*found;
}

/// One run of the inference; gathers what the user should read.
class Inference {
 public:
  Inference(const checkpoint::Checkpoint& checkpoint, const ModelRequest& request)
      : checkpoint_(checkpoint), request_(request), facts_(facts_of(checkpoint)) {
    if (request.use_hints) hints_ = read_hints(checkpoint);
    drop_unusable_settings();
  }

  std::vector<Candidate> candidates() {
    std::vector<Candidate> found = fitting(checkpoint_, facts_, words());
    if (!found.empty() || hints_.settings.empty()) return found;
    std::vector<Candidate> without = fitting(checkpoint_, facts_, {request_.settings, ModelHints()});
    if (!without.empty()) {
      note("what the file says of its configuration ({}, ...) does not fit its tensors, and does not count",
           hints_.keys.front());
      hints_.settings.clear();
      hints_.keys.clear();
    }
    return without;
  }

  InferredModel run() {
    if (!request_.model.empty()) requested_variant(request_.model);
    const std::vector<Candidate> found = candidates();
    ModelConfig config = choose(found)->config;
    note_contradictions();
    check_size(config);
    return {std::move(config), facts_.anchors, std::move(notes_)};
  }

 private:
  Words words() const { return {request_.settings, hints_}; }

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    notes_.push_back(checkpoint_.path + ": " + fmt::format(format, std::forward<Args>(args)...));
  }

  /// Settings of the file that no model of ours can have are told and left out; the user's are an error.
  void drop_unusable_settings() {
    const Variant& any = hints_.names.empty() ? variants().front() : *hints_.names.front().variant;
    for (size_t i = 0; i < hints_.settings.size();) {
      try {
        ModelConfig config = default_config(any, facts_.num_classes);
        apply_setting(hints_.settings[i], config);
        ++i;
      } catch (const Error& error) {
        note("the file's {} does not count: {}", hints_.keys[i], error.what());
        hints_.settings.erase(hints_.settings.begin() + static_cast<ptrdiff_t>(i));
        hints_.keys.erase(hints_.keys.begin() + static_cast<ptrdiff_t>(i));
      }
    }
  }

  /// A size that the file says, and that no export can have, gives way to the variant's own.
  void check_size(ModelConfig& config) {
    const auto is_size = [](const Setting& s) { return s.name.ends_with("_size"); };
    if (std::ranges::none_of(hints_.settings, is_size)) return;
    try {
      check_image_size(config.variant, config.image_height, config.image_width);
    } catch (const Error& error) {
      note("the size that the file says does not count: {}", error.what());
      config.image_height = config.variant.image_height;
      config.image_width = config.variant.image_width;
    }
  }

  const Candidate* choose(const std::vector<Candidate>& found) {
    const Candidate* asked = request_.model.empty() ? nullptr : find_candidate(found, request_.model);
    if (!request_.model.empty() && asked == nullptr) fail_asked(found);
    if (found.empty()) fail_unfit(checkpoint_, facts_, words());
    if (const Candidate* said = said_by_file(found)) {
      if (asked != nullptr && asked != said)
        note("the file says {} ({}), which counts, and not --model {}; with --ignore-config it does not", said->text(),
             hints_.names.front().key, request_.model);
      return said;
    }
    if (asked != nullptr) return announced(asked);
    if (found.size() == 1) return announced(&found.front());
    if (const Candidate* named = named_by_file(found, checkpoint_.path)) return announced(named);
    const std::string others = fmt::format("fits {}, which differ in {}: ", join_names(found), differences(found));
    if (const Candidate* named = named_by_file_for_short(found, checkpoint_.path)) {
      note("{}taken for {} by its name; --model chooses another", others, named->text());
      return named;
    }
    for (const Candidate& candidate : found)
      if (!candidate.other_bias && candidate.config.variant.name == request_.preferred) {
        note("{}taken for {}; --model chooses another", others, candidate.text());
        return &candidate;
      }
    bad_input("{}: {}say which with --model", checkpoint_.path, others);
  }

  /// The candidate that the file's own words name: nobody, where they name several.
  const Candidate* said_by_file(const std::vector<Candidate>& found) {
    const Candidate* said = nullptr;
    for (const ModelHints::Name& name : hints_.names) {
      const Candidate* candidate = find_candidate(found, name.variant->name);
      if (candidate == nullptr) {
        note("the file says {} ({}), which does not fit its tensors, and does not count", name.variant->name, name.key);
      } else if (said != nullptr && candidate != said) {
        note("the file says {} ({}), too, which does not count", name.variant->name, name.key);
      } else {
        said = candidate;
      }
    }
    return said;
  }

  /// Biases that a variant does not have, or lacks, are worth a line.
  const Candidate* announced(const Candidate* candidate) {
    if (candidate->other_bias) note("taken for {}, as its tensors are", candidate->text());
    return candidate;
  }

  [[noreturn]] void fail_asked(const std::vector<Candidate>& found) const {
    const ModelConfig config = config_with(requested_variant(request_.model), checkpoint_, facts_, words());
    const KeyReport report = compare(checkpoint_, config, facts_);
    fail(report.code(), "{}: does not fit {}: {}; {}", checkpoint_.path, request_.model, report.text(),
         found.empty() ? "no known variant fits" : "it fits " + join_names(found));
  }

  /// Options that the user and the file give different values.
  void note_contradictions() {
    for (const Setting& asked : request_.settings)
      for (size_t i = 0; i < hints_.settings.size(); ++i)
        if (hints_.settings[i].name == asked.name && !same_value(hints_.settings[i].value, asked.value))
          note("the file says {} {} ({}), which counts, and not {}; with --ignore-config it does not", asked.name,
               hints_.settings[i].value, hints_.keys[i], asked.value);
  }

  const checkpoint::Checkpoint& checkpoint_;
  const ModelRequest& request_;
  const CheckpointFacts facts_;
  ModelHints hints_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string Candidate::text() const {
  const std::string name(config.variant.name);
  return other_bias ? fmt::format("{} with redundant_bias={}", name, config.variant.redundant_bias ? "True" : "False")
                    : name;
}

std::vector<Candidate> fitting_variants(const checkpoint::Checkpoint& checkpoint, const ModelRequest& request) {
  return Inference(checkpoint, request).candidates();
}

InferredModel infer_variant(const checkpoint::Checkpoint& checkpoint, const ModelRequest& request) {
  return Inference(checkpoint, request).run();
}

ModelConfig config_of(const InferredModel& inferred, const AnchorOptions& anchors) {
  ModelConfig config = inferred.config;
  apply_anchors(anchors, config);
  if (config.anchors() != inferred.anchors)
    fail(ErrorCode::kUsage,
         "the checkpoint has {} anchors a cell, but {} scales x {} aspect ratios are {}: say with --scales, "
         "--aspect-ratios and --anchor-scale what it was trained with",
         inferred.anchors, config.num_scales, config.aspect_ratios.size(), config.anchors());
  return config;
}

}  // namespace effdet::model
