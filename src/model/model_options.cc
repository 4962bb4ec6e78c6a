// Settles a model configuration from options and, where there is one, a checkpoint.
#include "model/model_options.h"

#include "base/error.h"
#include "base/log.h"
#include "model/infer_variant.h"

namespace effdet::model {
namespace {

std::vector<Setting> settings_of(const ModelOptions& options) {
  std::vector<Setting> settings;
  for (const auto& [name, value] : options.config) settings.push_back({name, value});
  return settings;
}

void apply(const ModelOptions& options, ModelConfig& config) {
  if (options.height > 0) config.image_height = options.height;
  if (options.width > 0) config.image_width = options.width;
  config.batch = options.batch;
  if (!options.class_names.empty() && static_cast<int>(options.class_names.size()) != config.num_classes)
    fail(ErrorCode::kUsage, "{} class names for {} classes", options.class_names.size(), config.num_classes);
  config.class_names = options.class_names;
  check_config(config);
}

}  // namespace

ModelConfig config_for(const checkpoint::Checkpoint& checkpoint, const ModelOptions& options) {
  const std::vector<Setting> settings = settings_of(options);
  const InferredModel inferred = infer_variant(checkpoint, {.model = options.model,
                                                            .preferred = options.preferred,
                                                            .settings = settings,
                                                            .use_hints = !options.ignore_config});
  for (const std::string& line : inferred.notes) {
    log(LogLevel::kWarning, "{}", line);
    if (options.on_note) options.on_note(line);
  }
  ModelConfig config = config_of(inferred, options.anchors);
  if (options.num_classes > 0 && options.num_classes != config.num_classes)
    fail(ErrorCode::kUsage, "{}: the checkpoint has {} classes, not {}; leave --num-classes out", checkpoint.path,
         config.num_classes, options.num_classes);
  apply(options, config);
  return config;
}

ModelConfig config_for(const ModelOptions& options) {
  const Variant* variant = find_variant(options.model);
  if (variant == nullptr) {
    std::vector<std::string_view> names;
    for (const Variant& known : variants()) names.push_back(known.name);
    fail(ErrorCode::kUsage, "there is no model '{}'; there are {}", options.model, fmt::join(names, ", "));
  }
  ModelConfig config = default_config(*variant, options.num_classes > 0 ? options.num_classes : 90);
  for (const Setting& setting : settings_of(options)) apply_setting(setting, config);
  apply_anchors(options.anchors, config);
  apply(options, config);
  return config;
}

void tell(const ModelOptions& options, const std::filesystem::path& path, const std::string& line) {
  if (line.empty()) return;
  log(LogLevel::kWarning, "{}: {}", path.string(), line);
  if (options.on_note) options.on_note(path.string() + ": " + line);
}

}  // namespace effdet::model
