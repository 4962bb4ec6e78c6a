// Parses a compiled model's metadata into its description.
#include "detection/model_info.h"

#include "base/error.h"
#include "base/name_source.h"
#include "detection/model_input.h"
#include "runtime/compiled_model_impl.h"

namespace effdet::detection {

model::ModelInfo model_info(const std::map<std::string, std::string>& metadata, std::string_view remedy) {
  if (!model::has_model_info(metadata))
    fail(ErrorCode::kUnsupported, "the model does not say what its input and outputs mean (no effdet metadata); {}",
         remedy);
  return model::parse_metadata(metadata, "the model's metadata");
}

ModelDescription describe(const model::ModelInfo& info, const runtime::Engine& engine) {
  ModelDescription description{.model = info.variant, .num_classes = info.num_classes};
  const Shape shape = network_shape(engine.inputs(), engine.program().graph);
  description.batch = static_cast<int>(shape[0]);
  description.height = static_cast<int>(shape[2]);
  description.width = static_cast<int>(shape[3]);
  description.min_level = info.min_level;
  description.max_level = info.max_level;
  for (size_t i = 0; i < 3; ++i) {
    description.mean[i] = static_cast<float>(info.mean[i]);
    description.std[i] = static_cast<float>(info.std[i]);
    description.fill[i] = info.fill[i];
  }
  description.class_names = info.class_names;
  return description;
}

}  // namespace effdet::detection

namespace effdet {

ModelDescription CompiledModel::description() const {
  const runtime::Engine& engine = *impl_->engine();
  return name_source(impl_->source, [&] {
    return detection::describe(detection::model_info(engine.program().graph.metadata), engine);
  });
}

}  // namespace effdet
