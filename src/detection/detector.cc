// The public classes that turn images into inputs, outputs into detections, and images into detections.
#include "effdet/detector.h"

#include "base/error.h"
#include "base/name_source.h"
#include "detection/detection_model.h"
#include "detection/fault_log.h"
#include "detection/image_detector.h"
#include "detection/model_info.h"
#include "runtime/compiled_model_impl.h"
#include "vision/decode.h"
#include "vision/rgb_image.h"

namespace effdet {

struct Detector::Impl {
  detection::ImageDetector detector;
  std::vector<std::byte> input;
  detection::FaultLog faults;

  Impl(const CompiledModel& model, int threads, const DetectOptions& options)
      : detector(model, threads, options), input(detector.input_bytes()) {}

  std::vector<Detection> detect(vision::RowSource& image) {
    const vision::ImageSize size = image.size();
    const size_t plan = detector.plan_for(size);
    detector.write_input(plan, image, input);
    eval::DetectFaults found;
    std::vector<Detection> detections = detector.run(plan, input, size, &found);
    faults.add(image.name(), found);
    return detections;
  }
};

Detector::Detector(const CompiledModel& model, int threads, const DetectOptions& options)
    : impl_(new Impl(model, threads > 0 ? threads : default_thread_count(), options)) {}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

std::vector<Detection> Detector::detect(const RgbImage& image, std::string_view name) {
  vision::PixelRows rows = vision::rows_of(image, name);
  return impl_->detect(rows);
}

std::vector<Detection> Detector::detect(const std::filesystem::path& image) {
  return impl_->detect(*vision::open_image(image));
}

const ModelDescription& Detector::description() const { return impl_->detector.description(); }
std::string Detector::warning() const { return impl_->faults.text(); }

struct ImageInput::Impl {
  detection::ModelInput input;

  void check(std::span<const std::byte> sample) const {
    if (sample.size() != input.sample_bytes())
      fail(ErrorCode::kUsage, "{} bytes for a sample of {}", sample.size(), input.sample_bytes());
  }
};

ImageInput::ImageInput(const CompiledModel& model) {
  const runtime::Engine& engine = *EngineAccess::first(model);
  name_source(EngineAccess::source(model), [&] {
    impl_.reset(new Impl{detection::ModelInput(engine, detection::model_info(engine.program().graph.metadata))});
  });
}
ImageInput::~ImageInput() = default;
ImageInput::ImageInput(ImageInput&&) noexcept = default;

void ImageInput::read(const std::filesystem::path& image, std::span<std::byte> sample) const {
  impl_->check(sample);
  impl_->input.write(*vision::open_image(image), sample);
}

void ImageInput::write(const RgbImage& image, std::span<std::byte> sample, std::string_view name) const {
  impl_->check(sample);
  vision::PixelRows rows = vision::rows_of(image, name);
  impl_->input.write(rows, sample);
}

struct DetectionDecoder::Impl {
  detection::DetectionModel model;
  detection::FaultLog faults = {};
};

DetectionDecoder::DetectionDecoder(const CompiledModel& model)
    : impl_(name_source(EngineAccess::source(model),
                        [&] { return new Impl{detection::DetectionModel(EngineAccess::first(model))}; })) {}
DetectionDecoder::~DetectionDecoder() = default;
DetectionDecoder::DetectionDecoder(DetectionDecoder&&) noexcept = default;

std::vector<Detection> DetectionDecoder::decode(std::span<const std::span<std::byte>> outputs, size_t sample, int width,
                                                int height, const DetectOptions& options) const {
  eval::check_options(options);
  const runtime::Engine& engine = *impl_->model.engine();
  const size_t batch = impl_->model.batch();
  if (outputs.size() != engine.output_count() || sample >= batch)
    fail(ErrorCode::kUsage, "{} outputs, sample {}: the model has {} and a batch of {}", outputs.size(), sample,
         engine.output_count(), batch);
  std::vector<std::span<const float>> values;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].size() != artifact::value_bytes(engine.output(i)))
      fail(ErrorCode::kUsage, "output {} has {} bytes, not {}", i, outputs[i].size(),
           artifact::value_bytes(engine.output(i)));
    values.emplace_back(reinterpret_cast<const float*>(outputs[i].data()), outputs[i].size() / sizeof(float));
  }
  eval::DetectFaults faults;
  std::vector<Detection> detections =
      impl_->model.detect(values, sample, vision::ImageSize{width, height}, options, &faults);
  impl_->faults.add("", faults);
  return detections;
}

std::string DetectionDecoder::warning() const { return impl_->faults.text(); }

}  // namespace effdet
