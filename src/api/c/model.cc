// C interface: opening models and describing them.
#include "api/c/model.h"

#include <memory>

#include "api/c/call.h"
#include "base/tensor.h"
#include "effdet/detector.h"

namespace effdet::api {
namespace {

std::string text(const char* given) { return given ? given : ""; }

std::optional<Precision> precision(effdet_precision given) {
  switch (given) {
    case EFFDET_PRECISION_DEFAULT:
      return std::nullopt;
    case EFFDET_FLOAT32:
      return Precision::kFloat32;
    case EFFDET_BFLOAT16:
      return Precision::kBfloat16;
  }
  fail(ErrorCode::kUsage, "precision: {} is none of effdet_precision", static_cast<int>(given));
}

/// Of the fixed shape; 0 where that is not known.
size_t bytes_of(const TensorInfo& tensor) {
  const auto type = dtype_of_name(tensor.dtype);
  size_t bytes = type ? dtype_size(*type) : 0;
  for (const int64_t side : tensor.shape) bytes *= side < 0 ? 0 : static_cast<size_t>(side);
  return bytes;
}

int batch_of(const effdet_model_options& options) {
  if (options.batch < 1) fail(ErrorCode::kUsage, "a batch of {} images", options.batch);
  return options.batch;
}

/// What files say themselves may be said again, but for class names, which count.
void apply(const effdet_model_options* given, const ModelOptions& options, effdet_model& model) {
  if (model.variant.empty()) return;
  const ModelDescription description = model.model.description();
  if (given != nullptr && given->batch > 0 && options.batch != description.batch)
    fail(ErrorCode::kUsage, "batch {}: the model was made for {}; leave it out", options.batch, description.batch);
  if (options.class_names.empty()) return;
  if (options.class_names.size() != static_cast<size_t>(description.num_classes))
    fail(ErrorCode::kUsage, "{} class names for {} classes", options.class_names.size(), description.num_classes);
  model.class_names = options.class_names;
}

effdet_status describe(const std::vector<TensorInfo>& tensors, size_t index, effdet_tensor* tensor) {
  return call([&] {
    need(tensor, "tensor");
    if (index >= tensors.size()) fail(ErrorCode::kUsage, "tensor {} of {}", index, tensors.size());
    const TensorInfo& info = tensors[index];
    *tensor = {info.name.c_str(), info.dtype.c_str(), info.shape.data(), info.shape.size(), bytes_of(info)};
  });
}

}  // namespace

ModelOptions model_options(const effdet_model_options* given) {
  const effdet_model_options options = taken(given, effdet_model_options_init, "effdet_model_options");
  ModelOptions own{.model = text(options.model),
                   .num_classes = options.num_classes,
                   .height = options.height,
                   .width = options.width,
                   .batch = options.batch == 0 ? 1 : batch_of(options),
                   .class_names = list_of<std::string>(options.class_names, options.num_class_names, "class_names"),
                   .use_ema = options.use_ema != 0,
                   .precision = precision(options.precision),
                   .device = text(options.device)};
  if (options.on_note)
    own.on_note = [say = options.on_note, user = options.user](const std::string& line) { say(line.c_str(), user); };
  return own;
}

effdet_model* handle_of(CompiledModel model) {
  auto inputs = model.inputs(), outputs = model.outputs();
  std::vector<std::string> names;
  std::string variant;
  try {
    const ModelDescription description = model.description();
    names = class_names_of(description);
    variant = description.model;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;  // no detector: it can still be run
  }
  auto metadata = model.metadata();
  return new effdet_model{std::move(model), std::move(inputs),   std::move(outputs),
                          std::move(names), std::move(metadata), std::move(variant)};
}

}  // namespace effdet::api

using namespace effdet;
using namespace effdet::api;

void effdet_model_options_init(effdet_model_options* options) {
  if (options) *options = {.size = sizeof(*options)};
}

effdet_status effdet_model_open(const char* path, const effdet_model_options* options, effdet_model** model) {
  return call([&] {
    need(model, "model");
    const ModelOptions own = model_options(options);
    std::unique_ptr<effdet_model> opened(handle_of(CompiledModel::open(need_text(path, "path"), own)));
    apply(options, own, *opened);
    *model = opened.release();
  });
}

effdet_status effdet_model_load(const void* file, size_t bytes, const char* name, effdet_model** model) {
  return call([&] {
    need(model, "model");
    const std::span content(&need(static_cast<const std::byte*>(file), "file"), bytes);
    *model = handle_of(CompiledModel::load(content, need_text(name, "name")));
  });
}

effdet_status effdet_model_save(const effdet_model* model, const char* path) {
  return call([&] { need(model, "model").model.save(need_text(path, "path")); });
}

void effdet_model_free(effdet_model* model) { delete model; }

size_t effdet_model_input_count(const effdet_model* model) { return model ? model->inputs.size() : 0; }
size_t effdet_model_output_count(const effdet_model* model) { return model ? model->outputs.size() : 0; }

effdet_status effdet_model_input(const effdet_model* model, size_t index, effdet_tensor* tensor) {
  return model ? describe(model->inputs, index, tensor) : failed(ErrorCode::kUsage, "model is NULL");
}

effdet_status effdet_model_output(const effdet_model* model, size_t index, effdet_tensor* tensor) {
  return model ? describe(model->outputs, index, tensor) : failed(ErrorCode::kUsage, "model is NULL");
}

effdet_status effdet_model_describe(const effdet_model* model, effdet_description* description) {
  return call([&] {
    const ModelDescription found = need(model, "model").model.description();
    need(description, "description") = {model->variant.c_str(), found.num_classes, found.height, found.width,
                                        found.batch};
  });
}

const char* effdet_model_class_name(const effdet_model* model, int index) {
  if (!model || index < 0 || static_cast<size_t>(index) >= model->class_names.size()) return nullptr;
  return model->class_names[static_cast<size_t>(index)].c_str();
}

const char* effdet_model_metadata(const effdet_model* model, const char* key) {
  if (!model || !key) return nullptr;
  const auto found = model->metadata.find(key);
  return found == model->metadata.end() ? nullptr : found->second.c_str();
}
