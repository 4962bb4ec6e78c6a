// The public classes that turn images into inputs, outputs into detections, and images into detections.
#include "effdet/detector.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "base/name_source.h"
#include "detection/detection_model.h"
#include "detection/fault_log.h"
#include "detection/image_detector.h"
#include "detection/model_info.h"
#include "detection/slices.h"
#include "runtime/compiled_model_impl.h"
#include "vision/decode.h"
#include "vision/view_rows.h"

namespace effdet {

struct Detector::Impl {
  using Clock = std::chrono::steady_clock;

  detection::ImageDetector detector;
  std::vector<std::byte> input;
  detection::FaultLog faults;
  DetectTimings timings;

  Impl(const CompiledModel& model, const Threads& threads, const DetectOptions& options)
      : detector(model, threads, options), input(detector.input_bytes()) {}

  /// Calls a stage and adds the time that it takes.
  template <typename Stage>
  static auto timed(double& seconds, Stage stage) {
    const auto begin = Clock::now();
    const auto add = [&] { seconds += std::chrono::duration<double>(Clock::now() - begin).count(); };
    if constexpr (std::is_void_v<decltype(stage())>) {
      stage();
      add();
    } else {
      auto result = stage();
      add();
      return result;
    }
  }

  std::vector<Detection> decode(size_t plan, size_t sample, const vision::RowSource& image,
                                const DetectOptions& options) {
    eval::DetectFaults found;
    auto detections =
        timed(timings.postprocess, [&] { return detector.decode(plan, sample, image.size(), options, &found); });
    faults.add(image.name(), found);
    return detections;
  }

  std::vector<Detection> detect(vision::RowSource& image, const DetectOptions& options) {
    eval::check_options(options);
    timings = {};
    const size_t plan = detector.plan_for(image.size());
    const auto prepared = timed(timings.preprocess, [&] { return detector.write_input(plan, image, input); });
    timed(timings.inference, [&] { detector.infer(plan, input, {&prepared, 1}, options); });
    return decode(plan, 0, image, options);
  }

  /// Images that take the same plan share its batches. Results are in the order of the images.
  std::vector<std::vector<Detection>> detect_batch(std::span<const ImageView> views, const DetectOptions& options) {
    eval::check_options(options);
    timings = {};
    std::deque<vision::ViewRows> images;
    std::map<size_t, std::vector<size_t>> of_plan;
    for (size_t i = 0; i < views.size(); ++i) {
      images.emplace_back(views[i], "image " + std::to_string(i));
      of_plan[detector.plan_for(images[i].size())].push_back(i);
    }
    std::vector<std::vector<Detection>> found(views.size());
    for (const auto& [plan, members] : of_plan)
      for (size_t first = 0; first < members.size(); first += detector.batch(plan)) {
        const std::span batch =
            std::span(members).subspan(first, std::min(detector.batch(plan), members.size() - first));
        std::vector<detection::InputImage> prepared;
        timed(timings.preprocess, [&] {
          for (size_t k = 0; k < batch.size(); ++k)
            prepared.push_back(detector.write_input(plan, images[batch[k]], input, k));
        });
        timed(timings.inference, [&] { detector.infer(plan, input, prepared, options); });
        for (size_t k = 0; k < batch.size(); ++k) found[batch[k]] = decode(plan, k, images[batch[k]], options);
      }
    return found;
  }
};

Detector::Detector(const CompiledModel& model, int threads, const DetectOptions& options)
    : Detector(model, Threads(std::max(0, threads)), options) {}

Detector::Detector(const CompiledModel& model, const Threads& threads, const DetectOptions& options)
    : impl_(new Impl(model, threads, options)) {}

Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

std::vector<Detection> Detector::detect(const ImageView& image, const DetectOptions& options, std::string_view name) {
  vision::ViewRows rows(image, name);
  return impl_->detect(rows, options);
}

std::vector<Detection> Detector::detect(const ImageView& image, std::string_view name) {
  return detect(image, options(), name);
}

std::vector<Detection> Detector::detect(const RgbImage& image, std::string_view name) {
  return detect(view_of(image), options(), name);
}

std::vector<Detection> Detector::detect(const std::filesystem::path& image) { return detect(image, options()); }

std::vector<Detection> Detector::detect(const std::filesystem::path& image, const DetectOptions& options) {
  return impl_->detect(*vision::open_image(image), options);
}

std::vector<std::vector<Detection>> Detector::detect_batch(std::span<const ImageView> images,
                                                           const DetectOptions& options) {
  return impl_->detect_batch(images, options);
}

std::vector<std::vector<Detection>> Detector::detect_batch(std::span<const ImageView> images) {
  return detect_batch(images, options());
}

std::vector<Detection> Detector::detect_sliced(const ImageView& image, const SliceOptions& slices,
                                               const DetectOptions& options, std::string_view name) {
  detection::check_options(slices);
  if (!detection::is_sliced({image.width, image.height}, slices)) return detect(image, options, name);
  if (image.format == PixelFormat::kNv12) fail(ErrorCode::kUsage, "{}: slices are not cut out of NV12", name);
  const ImageView whole = vision::ViewRows(image, name).view();
  const std::vector<detection::Slice> parts = detection::slices_of({image.width, image.height}, slices);
  std::vector<ImageView> views{image};
  for (const detection::Slice& part : parts)
    views.push_back({.data = whole.data + part.y1 * whole.stride + part.x1 * vision::pixel_bytes(whole.format),
                     .width = part.x2 - part.x1,
                     .height = part.y2 - part.y1,
                     .format = whole.format,
                     .stride = whole.stride});
  std::vector<std::vector<Detection>> found = impl_->detect_batch(views, options);
  for (size_t i = 0; i < parts.size(); ++i) detection::add_found(found[0], found[i + 1], parts[i]);
  return detection::merge_detections(std::move(found[0]), slices, options.agnostic, options.max_detections);
}

const DetectOptions& Detector::options() const { return impl_->detector.options(); }

Letterbox Detector::letterbox(int width, int height) const {
  if (width < 1 || height < 1) fail(ErrorCode::kUsage, "an image of {} x {} pixels", width, height);
  const vision::ImageSize size{width, height};
  const auto [scale, inner] = impl_->detector.letterbox(impl_->detector.plan_for(size), size);
  return {scale, inner.width, inner.height};
}

DetectTimings Detector::timings() const { return impl_->timings; }

const ModelDescription& Detector::description() const { return impl_->detector.description(); }
std::string Detector::warning() const { return impl_->faults.text(); }

struct ImageInput::Impl {
  detection::ModelInput input;

  void check(std::span<const std::byte> sample) const {
    if (sample.size() != input.sample_bytes())
      fail(ErrorCode::kUsage, "{} bytes for a sample of {}", sample.size(), input.sample_bytes());
  }
  void check_batch(std::span<const std::byte> batch) const {
    if (batch.size() != input.batch_bytes())
      fail(ErrorCode::kUsage, "{} bytes for the inputs of {}", batch.size(), input.batch_bytes());
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
  write(view_of(image), sample, name);
}

void ImageInput::write(const ImageView& image, std::span<std::byte> sample, std::string_view name) const {
  impl_->check(sample);
  vision::ViewRows rows(image, name);
  impl_->input.write(rows, sample);
}

size_t ImageInput::batch_bytes() const { return impl_->input.batch_bytes(); }

std::vector<std::span<const std::byte>> ImageInput::inputs(std::span<const std::byte> batch) const {
  impl_->check_batch(batch);
  return impl_->input.inputs(batch);
}

void ImageInput::write_to_batch(const ImageView& image, std::span<std::byte> batch, size_t index,
                                std::string_view name) const {
  impl_->check_batch(batch);
  if (index >= impl_->input.batch()) fail(ErrorCode::kUsage, "image {} of a batch of {}", index, impl_->input.batch());
  vision::ViewRows rows(image, name);
  impl_->input.write_to_batch(rows, batch, index);
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
