// Reads a model's description once, and cuts one image's part out of its outputs.
#include "detection/detection_model.h"

#include "base/error.h"
#include "detection/model_info.h"

namespace effdet::detection {
namespace {

/// Float32 values of each output that belong to one image: none of those that are not of a batch, as anchors.
std::vector<uint64_t> values_of_an_image(const runtime::Engine& engine, size_t batch) {
  std::vector<uint64_t> counts;
  for (size_t i = 0; i < engine.output_count(); ++i) {
    const ir::Value& output = engine.output(i);
    if (output.dtype != DType::kF32)
      fail(ErrorCode::kUnsupported, "the model's output '{}' is {}, not float32", output.name,
           dtype_name(output.dtype));
    const uint64_t count = artifact::value_bytes(output) / sizeof(float);
    counts.push_back(count % batch == 0 ? count / batch : 0);
  }
  return counts;
}

std::unique_ptr<const Decoder> decoder_of(const runtime::Engine& engine, const model::ModelInfo& info,
                                          const ModelInput& input) {
  return make_decoder({.info = info,
                       .metadata = engine.program().graph.metadata,
                       .height = input.preprocessing().height,
                       .width = input.preprocessing().width,
                       .value_counts = values_of_an_image(engine, input.batch()),
                       .knows_image_size = input.tells_image_size()});
}

}  // namespace

DetectionModel::DetectionModel(std::shared_ptr<const runtime::Engine> engine)
    : DetectionModel(engine, model_info(engine->program().graph.metadata)) {}

DetectionModel::DetectionModel(std::shared_ptr<const runtime::Engine> engine, model::ModelInfo info)
    : engine_(std::move(engine)),
      info_(std::move(info)),
      input_(*engine_, info_),
      decoder_(decoder_of(*engine_, info_, input_)) {}

std::vector<Detection> DetectionModel::detect(std::span<const std::span<const float>> outputs, size_t sample,
                                              vision::ImageSize image, const DetectOptions& options,
                                              eval::DetectFaults* faults) const {
  return decoder_->decode(outputs_of_image(outputs, sample, batch()), image, options, faults);
}

}  // namespace effdet::detection
