// Puts pictures before a network, and the selection of boxes behind it, where its device has both.
#include "detection/batch_run.h"

#include <algorithm>

#include "detection/candidates_graph.h"
#include "vision/resample_weights.h"
#include "vision/resize.h"

namespace effdet::detection {
namespace {

/// The weights of an axis as a device takes them.
struct Axis {
  Axis(int in_size, int out_size) : in_size(in_size), weights(in_size, out_size), whole(weights.whole_weights()) {}
  kernels::AxisTaps taps() const {
    return {
        in_size, weights.size(),     2 * weights.pairs(), {weights.first(), static_cast<size_t>(weights.padded_size())},
        whole,   vision::kWeightBits};
  }

  int in_size;
  vision::ResampleWeights weights;
  std::vector<int32_t> whole;
};

kernels::PictureTarget target_of(const vision::Preprocessing& preprocessing) {
  kernels::PictureTarget target{.height = preprocessing.height, .width = preprocessing.width};
  const vision::Normalisation scales = vision::normalisation_of(preprocessing);
  std::ranges::copy(scales.mean, target.mean);
  std::ranges::copy(scales.std, target.std);
  std::ranges::copy(scales.fill, target.fill);
  return target;
}

}  // namespace

void put_picture(kernels::PictureInput& pictures, kernels::Queue& queue, vision::ImageSize size,
                 const vision::Preprocessing& preprocessing, std::span<const std::byte> sample, std::byte* place) {
  const vision::ImageSize inner = vision::letterbox(size, preprocessing).size;
  const Axis across(size.width, inner.width), down(size.height, inner.height);
  const size_t bytes = size_t{3} * static_cast<size_t>(size.width) * static_cast<size_t>(size.height);
  pictures.write(queue, {sample.first(bytes), across.taps(), down.taps(), vision::columns_first(size, inner)},
                 target_of(preprocessing), place);
}

std::vector<Detection> BatchOutput::detections(const DetectionModel& model, size_t sample, vision::ImageSize image,
                                               const DetectOptions& options, eval::DetectFaults* faults) const {
  if (selected_.empty()) return model.detect(heads_.values(), sample, image, options, faults);
  const kernels::SelectedBoxes& selected = selected_.at(sample);
  if (faults != nullptr) *faults = {.nan_scores = selected.has_nan, .not_finite_box = selected.has_not_finite};
  return model.decoder().candidate_heads()->detections_of(selected);
}

BatchRun::BatchRun(const DetectionModel& model) {
  const kernels::Device& device = model.engine()->device();
  if (model.input().keeps_pictures()) pictures_ = device.make_picture_input();
  const HeadDecoder* heads = model.decoder().candidate_heads();
  if (heads == nullptr) return;
  candidates_ = candidates_of(model.engine()->program().graph.metadata);
  static_assert(sizeof(eval::Box) == 4 * sizeof(float));
  const std::span anchors = heads->anchors();
  selection_ = device.make_box_selection({.anchors = {&anchors.data()->y1, 4 * anchors.size()},
                                          .batch = static_cast<int64_t>(model.batch()),
                                          .candidates = candidates_,
                                          .classes = heads->num_classes()});
}

/// Soft suppression is the host's, and so are errors.
bool BatchRun::selects(const DetectOptions& options) const {
  return selection_ != nullptr && !options.soft_nms && options.max_candidates <= candidates_;
}

void BatchRun::run(const DetectionModel& model, runtime::Session& session, size_t plan,
                   std::span<const std::byte> input, std::span<const InputImage> images, const DetectOptions& options,
                   BatchOutput& output) {
  output.selected_.clear();
  if (!session.has_own_memory()) return session.run(model.input().pointers(input), output.heads_.pointers(), plan);
  const auto write = [&](kernels::Queue& queue, std::span<std::byte* const> places) {
    write_inputs(model, session, plan, input, images, queue, places[0]);
  };
  const auto take = [&](kernels::Queue& queue, std::span<std::byte* const> places) {
    if (selects(options)) {
      const HeadDecoder& heads = *model.decoder().candidate_heads();
      std::vector<kernels::BoxImage> geometries;
      for (const InputImage& image : images) geometries.push_back(heads.box_image(image.size));
      const std::vector<uint8_t> wanted = heads.wanted_classes(options);
      output.selected_ = selection_->select(queue, places[0], places[1], geometries,
                                            {.max_candidates = options.max_candidates,
                                             .max_kept = options.max_detections,
                                             .iou_threshold = options.iou_threshold,
                                             .score_threshold = options.score_threshold,
                                             .agnostic = options.agnostic,
                                             .wanted = wanted});
      if (std::ranges::none_of(output.selected_, &kernels::SelectedBoxes::is_senseless)) return;
      output.selected_.clear();  // the host says what is wrong with them
    }
    session.download(plan, output.heads_.pointers());
  };
  session.run_at_device(write, take, plan);
}

void BatchRun::write_inputs(const DetectionModel& model, runtime::Session& session, size_t plan,
                            std::span<const std::byte> input, std::span<const InputImage> images, kernels::Queue& queue,
                            std::byte* place) {
  if (std::ranges::none_of(images, &InputImage::is_picture)) return session.upload(plan, model.input().pointers(input));
  const size_t bytes = model.input().sample_bytes();
  for (size_t i = 0; i < images.size(); ++i) {
    const std::span<const std::byte> sample = input.subspan(i * bytes, bytes);
    if (!images[i].is_picture()) {
      queue.upload(sample, place + i * bytes);
      continue;
    }
    put_picture(*pictures_, queue, images[i].picture, model.input().preprocessing(), sample, place + i * bytes);
  }
}

}  // namespace effdet::detection
