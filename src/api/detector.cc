#include "effdet/detector.h"

#include "api/image_view.h"
#include "api/impl.h"
#include "pipeline/detection_model.h"
#include "runtime/engine.h"
#include "vision/decode.h"

namespace effdet {

struct Detector::Impl {
  pipeline::DetectionModel model;
  ModelDescription description;
  Session session;
  DetectOptions options;
  std::vector<float> input;  // a batch of images, of which only the first is used
  pipeline::OutputBuffers outputs;

  std::vector<Detection> detect(const Image& image) {
    const Preprocessing& preprocessing = model.preprocessing();
    letterbox_to_tensor(image, preprocessing, std::span(input).first(input.size() / model.batch()));
    const std::byte* const source = reinterpret_cast<const std::byte*>(input.data());
    session.run(std::span(&source, 1), outputs.pointers());
    return model.detect(outputs, 0, image.size(), options);
  }
};

Detector::Detector(const CompiledModel& model, int threads, const DetectOptions& options) {
  const std::shared_ptr<const Engine>& engine = model.impl_->engine;
  pipeline::DetectionModel detection_model(engine);
  std::vector<float> input(value_bytes(engine->input(0)) / sizeof(float));
  impl_.reset(new Impl{std::move(detection_model), model.description(),
                       Session(engine, threads > 0 ? threads : default_thread_count()), options, std::move(input),
                       pipeline::OutputBuffers(*engine)});
}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

std::vector<Detection> Detector::detect(const RgbImage& image) { return impl_->detect(api::to_image(image)); }

std::vector<Detection> Detector::detect(const std::filesystem::path& image) {
  return impl_->detect(decode_image(image));
}

const ModelDescription& Detector::description() const { return impl_->description; }

}  // namespace effdet
