#include "effdet/detector.h"

#include "api/image_view.h"
#include "api/impl.h"
#include "base/error.h"
#include "pipeline/detection_model.h"
#include "runtime/engine.h"
#include "vision/decode.h"

namespace effdet {

struct Detector::Impl {
  pipeline::DetectionModel model;
  ModelDescription description;
  Session session;
  DetectOptions options;
  std::vector<std::byte> input;  // a batch of images, of which only the first is used
  pipeline::OutputBuffers outputs;

  std::vector<Detection> detect(const Image& image, std::string_view name) {
    model.input().write(image, name, std::span(input).first(model.input().sample_bytes()));
    const std::byte* const source = input.data();
    session.run(std::span(&source, 1), outputs.pointers());
    return model.detect(outputs, 0, image.size(), options);
  }
};

Detector::Detector(const CompiledModel& model, int threads, const DetectOptions& options) {
  const std::shared_ptr<const Engine>& engine = model.impl_->engine;
  pipeline::DetectionModel detection_model(engine);
  std::vector<std::byte> input(value_bytes(engine->input(0)));
  impl_.reset(new Impl{std::move(detection_model), model.description(),
                       Session(engine, threads > 0 ? threads : default_thread_count()), options, std::move(input),
                       pipeline::OutputBuffers(*engine)});
}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

std::vector<Detection> Detector::detect(const RgbImage& image) {
  return impl_->detect(api::to_image(image), "picture");
}

std::vector<Detection> Detector::detect(const std::filesystem::path& image) {
  return impl_->detect(decode_image(image), image.string());
}

const ModelDescription& Detector::description() const { return impl_->description; }

struct PictureInput::Impl {
  pipeline::ModelInput input;
};

PictureInput::PictureInput(const CompiledModel& model)
    : impl_(new Impl{pipeline::DetectionModel(model.impl_->engine).input()}) {}
PictureInput::~PictureInput() = default;
PictureInput::PictureInput(PictureInput&&) noexcept = default;

void PictureInput::read(const std::filesystem::path& picture, std::span<std::byte> sample) const {
  if (sample.size() != impl_->input.sample_bytes())
    fail(ErrorCode::kUsage, "{} bytes for a sample of {}", sample.size(), impl_->input.sample_bytes());
  impl_->input.write(decode_image(picture), picture.string(), sample);
}

}  // namespace effdet
