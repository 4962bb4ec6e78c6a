// The public classes that turn images into inputs, outputs into detections, and images into detections.
#include "effdet/detector.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/name_source.h"
#include "detection/detection_model.h"
#include "detection/fault_log.h"
#include "detection/model_info.h"
#include "runtime/compiled_model_impl.h"
#include "vision/decode.h"
#include "vision/rgb_image.h"

namespace effdet {

struct Detector::Impl {
  /// A plan with its outputs, for which there is memory once it was chosen.
  struct Plan {
    detection::DetectionModel model;
    std::optional<detection::OutputBuffers> outputs;

    size_t pixels() const {
      const vision::Preprocessing& size = model.input().preprocessing();
      return model.batch() * static_cast<size_t>(size.height) * static_cast<size_t>(size.width);
    }
  };

  std::vector<Plan> plans;
  ModelDescription description;
  runtime::Session session;
  DetectOptions options;
  std::vector<std::byte> input;  // a batch of images, of which only the first is used

  /// The least work that does not shrink the image; or else the largest input.
  size_t choose(vision::ImageSize image) const {
    size_t best = 0;
    const auto fits = [&](size_t i) {
      const vision::Preprocessing& size = plans[i].model.input().preprocessing();
      return size.height >= image.height && size.width >= image.width;
    };
    const auto area = [&](size_t i) { return plans[i].pixels() / plans[i].model.batch(); };
    const auto better = [&](size_t i) {
      if (fits(i) != fits(best)) return fits(i);
      if (!fits(i) && area(i) != area(best)) return area(i) > area(best);
      return plans[i].pixels() < plans[best].pixels();
    };
    for (size_t i = 1; i < plans.size(); ++i)
      if (better(i)) best = i;
    return best;
  }

  std::vector<Detection> detect(vision::RowSource& image) {
    const vision::ImageSize size = image.size();
    const size_t index = choose(size);
    auto& [model, outputs] = plans[index];
    if (!outputs) outputs.emplace(*model.engine());
    model.input().write(image, std::span(input).first(model.input().sample_bytes()));
    const std::byte* const source = input.data();
    session.run(std::span(&source, 1), outputs->pointers(), index);
    eval::DetectFaults found;
    std::vector<Detection> detections = model.detect(outputs->values(), 0, size, options, &found);
    faults.add(image.name(), found);
    return detections;
  }

  detection::FaultLog faults;
};

Detector::Detector(const CompiledModel& model, int threads, const DetectOptions& options) {
  eval::check_options(options);
  const auto& engines = EngineAccess::plans(model);
  std::vector<Impl::Plan> plans;
  size_t bytes = 0;
  ModelDescription description = model.description();
  name_source(EngineAccess::source(model), [&] {
    const model::ModelInfo info = detection::model_info(engines.front()->program().graph.metadata);
    for (const auto& engine : engines) {
      plans.push_back({detection::DetectionModel(engine, info), std::nullopt});
      bytes = std::max<size_t>(bytes, artifact::value_bytes(engine->input(0)));
    }
  });
  impl_.reset(new Impl{std::move(plans), std::move(description),
                       runtime::Session(engines, threads > 0 ? threads : default_thread_count()), options,
                       std::vector<std::byte>(bytes)});
}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

std::vector<Detection> Detector::detect(const RgbImage& image, std::string_view name) {
  vision::PixelRows rows = vision::rows_of(image, name);
  return impl_->detect(rows);
}

std::vector<Detection> Detector::detect(const std::filesystem::path& image) {
  return impl_->detect(*vision::open_image(image));
}

const ModelDescription& Detector::description() const { return impl_->description; }
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
