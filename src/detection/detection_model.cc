#include "detection/detection_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "detection/nms_graph.h"
#include "detection/row_decoder.h"

namespace effdet::detection {
namespace {

model::ModelInfo info_of_engine(const runtime::Engine& engine) {
  const auto& metadata = engine.program().graph.metadata;
  if (!model::has_model_info(metadata))
    fail(ErrorCode::kUnsupported,
         "the model does not say what its outputs mean (no effdet metadata); export the checkpoint with pth2onnx");
  return model::parse_metadata(metadata, "compiled model");
}

/// Float32 values of each output that belong to one image.
std::vector<uint64_t> values_of_an_image(const runtime::Engine& engine, size_t batch) {
  std::vector<uint64_t> counts;
  for (size_t i = 0; i < engine.output_count(); ++i) {
    const ir::Value& output = engine.output(i);
    if (output.dtype != DType::kF32)
      fail(ErrorCode::kUnsupported, "the model's output '{}' is {}, not float32", output.name,
           dtype_name(output.dtype));
    const uint64_t count = artifact::value_bytes(output) / sizeof(float);
    if (count % batch != 0)
      fail(ErrorCode::kUnsupported, "the model's output '{}' does not divide into a batch of {}", output.name, batch);
    counts.push_back(count / batch);
  }
  return counts;
}

/// Nothing where the model has rows of detections instead of raw heads.
std::optional<eval::LevelLayout> layout_of(const runtime::Engine& engine, const HeadDecoder& decoder, size_t batch) {
  const std::vector<uint64_t> counts = values_of_an_image(engine, batch);
  if (detects_itself(engine.program().graph.metadata)) {
    if (counts.size() == 1 && counts[0] % kRowValues == 0) return std::nullopt;
    fail(ErrorCode::kUnsupported, "the model has {} outputs, not the one with detections that its metadata tell of",
         counts.size());
  }
  try {
    return decoder.layout_of(counts);
  } catch (const Error& error) {
    fail(ErrorCode::kUnsupported, "the model's outputs are not the raw heads of an EfficientDet: {}", error.what());
  }
}

}  // namespace

OutputBuffers::OutputBuffers(const runtime::Engine& engine) {
  for (size_t i = 0; i < engine.output_count(); ++i) {
    const size_t bytes = artifact::value_bytes(engine.output(i));
    pointers_.push_back(memory_.emplace_back(allocate(bytes, "outputs")).get());
    values_.emplace_back(reinterpret_cast<const float*>(pointers_.back()), bytes / sizeof(float));
  }
}

std::vector<std::span<const float>> OutputBuffers::sample(size_t index, size_t batch) const {
  std::vector<std::span<const float>> parts;
  for (const auto& values : values_) {
    const size_t size = values.size() / batch;
    parts.push_back(values.subspan(index * size, size));
  }
  return parts;
}

DetectionModel::DetectionModel(std::shared_ptr<const runtime::Engine> engine)
    : engine_(std::move(engine)),
      info_(info_of_engine(*engine_)),
      input_(*engine_, info_),
      decoder_(info_, input_.preprocessing().height, input_.preprocessing().width),
      layout_(layout_of(*engine_, decoder_, input_.batch())) {}

std::vector<Detection> DetectionModel::detect(const OutputBuffers& outputs, size_t sample, vision::ImageSize image,
                                              const DetectOptions& options, eval::DetectFaults* faults) const {
  return detect(outputs.sample(sample, batch()), image, options, faults);
}

std::vector<Detection> DetectionModel::detect(std::span<const std::span<const float>> outputs, vision::ImageSize image,
                                              const DetectOptions& options, eval::DetectFaults* faults) const {
  if (layout_) return decoder_.decode(outputs, *layout_, image, options, faults);
  const vision::Preprocessing& input = input_.preprocessing();
  return decode_rows(outputs[0], image, input.height, input.width, options, faults);
}

}  // namespace effdet::detection
