// Chooses the plan for each image's size, and runs it.
#include "detection/image_detector.h"

#include <algorithm>

#include "base/name_source.h"
#include "detection/model_info.h"
#include "runtime/compiled_model_impl.h"

namespace effdet::detection {

size_t ImageDetector::Plan::pixels() const {
  const vision::Preprocessing& size = model.input().preprocessing();
  return static_cast<size_t>(size.height) * static_cast<size_t>(size.width);
}

std::vector<ImageDetector::Plan> ImageDetector::plans_of(const CompiledModel& model) {
  const auto& engines = EngineAccess::plans(model);
  const model::ModelInfo info = model_info(engines.front()->program().graph.metadata);
  std::vector<Plan> plans;
  for (const auto& engine : engines) plans.push_back({DetectionModel(engine, info), std::nullopt, std::nullopt});
  return plans;
}

ImageDetector::ImageDetector(const CompiledModel& model, const Threads& threads, const DetectOptions& options,
                             size_t batch)
    : options_((eval::check_options(options), options)),
      description_(model.description()),
      plans_(name_source(EngineAccess::source(model), [&] { return plans_of(model); })),
      session_(EngineAccess::plans(model), threads) {
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (batch != 0 && plans_[i].model.batch() != batch) continue;
    taken_.push_back(i);
    input_bytes_ = std::max(input_bytes_, input_bytes(i));
  }
  if (!taken_.empty()) return;
  std::vector<size_t> batches;
  for (const Plan& plan : plans_) batches.push_back(plan.model.batch());
  fail(ErrorCode::kUsage, "{}: it takes {} images at a time, not {}", EngineAccess::source(model),
       fmt::join(batches, ", "), batch);
}

size_t ImageDetector::largest_batch() const {
  size_t largest = 1;
  for (const size_t plan : taken_) largest = std::max(largest, batch(plan));
  return largest;
}

size_t ImageDetector::plan_for(vision::ImageSize image) const {
  size_t best = taken_.front();
  const auto fits = [&](size_t i) {
    const vision::Preprocessing& size = plans_[i].model.input().preprocessing();
    return size.height >= image.height && size.width >= image.width;
  };
  const auto better = [&](size_t i) {
    if (fits(i) != fits(best)) return fits(i);
    if (!fits(i) && plans_[i].pixels() != plans_[best].pixels()) return plans_[i].pixels() > plans_[best].pixels();
    return plans_[i].model.batch() * plans_[i].pixels() < plans_[best].model.batch() * plans_[best].pixels();
  };
  for (const size_t i : taken_)
    if (better(i)) best = i;
  return best;
}

vision::Letterbox ImageDetector::letterbox(size_t plan, vision::ImageSize image) const {
  return vision::letterbox(image, plans_[plan].model.input().preprocessing());
}

InputImage ImageDetector::write_input(size_t plan, vision::RowSource& image, std::span<std::byte> input,
                                      size_t sample) const {
  return plans_[plan].model.input().prepare(image, input, sample);
}

void ImageDetector::infer(size_t plan, std::span<const std::byte> input, std::span<const InputImage> images,
                          const DetectOptions& options) {
  auto& [model, runs, output] = plans_[plan];
  if (!output) {
    runs.emplace(model);
    output.emplace(*model.engine());
  }
  runs->run(model, session_, plan, input, images, options, *output);
}

std::vector<Detection> ImageDetector::decode(size_t plan, size_t sample, vision::ImageSize image,
                                             const DetectOptions& options, eval::DetectFaults* faults) const {
  const auto& [model, runs, output] = plans_[plan];
  return output->detections(model, sample, image, options, faults);
}

std::vector<Detection> ImageDetector::run(size_t plan, std::span<const std::byte> input, const InputImage& image,
                                          eval::DetectFaults* faults) {
  infer(plan, input, {&image, 1}, options_);
  return decode(plan, 0, image.size, options_, faults);
}

}  // namespace effdet::detection
