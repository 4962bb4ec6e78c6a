// C interface: detectors, and what they find.
#include "effdet/detector.h"

#include <mutex>

#include "api/c/call.h"
#include "api/c/detections.h"
#include "api/c/model.h"
#include "api/c/picture.h"

namespace effdet::api {

DetectOptions detect_options(const effdet_detect_options* given) {
  const effdet_detect_options options = taken(given, effdet_detect_options_init, "effdet_detect_options");
  return {.score_threshold = options.score_threshold,
          .iou_threshold = options.iou_threshold,
          .max_candidates = options.max_candidates,
          .max_detections = options.max_detections,
          .soft_nms = options.soft_nms != 0,
          .soft_linear = options.soft_linear != 0,
          .agnostic = options.agnostic != 0,
          .categories = list_of<int>(options.categories, options.num_categories, "categories")};
}

effdet_detections* handle_of(const std::vector<Detection>& detections) {
  std::vector<effdet_detection> boxes;
  boxes.reserve(detections.size());
  for (const Detection& d : detections) boxes.push_back({d.x1, d.y1, d.x2, d.y2, d.score, d.category});
  return new effdet_detections{std::move(boxes)};
}

}  // namespace effdet::api

using namespace effdet;
using namespace effdet::api;

struct effdet_detector {
  Detector detector;
  std::mutex mutex;
  OfProcess process;

  /// Options of a call.
  DetectOptions options(const effdet_detect_options* given) const {
    return given ? detect_options(given) : detector.options();
  }
};

namespace {

/// Calls work(detector) while no other call does, in the detector's own process.
template <typename Work>
effdet_status with(effdet_detector* detector, Work work) {
  return call([&] {
    need(detector, "detector").process.check("the detector");
    const std::lock_guard lock(detector->mutex);
    work(*detector);
  });
}

}  // namespace

void effdet_detect_options_init(effdet_detect_options* options) {
  if (!options) return;
  const DetectOptions defaults;
  *options = {.size = sizeof(*options),
              .score_threshold = defaults.score_threshold,
              .iou_threshold = defaults.iou_threshold,
              .max_candidates = defaults.max_candidates,
              .max_detections = defaults.max_detections};
}

size_t effdet_detections_count(const effdet_detections* detections) {
  return detections ? detections->boxes.size() : 0;
}
const effdet_detection* effdet_detections_data(const effdet_detections* detections) {
  return detections ? detections->boxes.data() : nullptr;
}
void effdet_detections_free(effdet_detections* detections) { delete detections; }

effdet_status effdet_detector_new(const effdet_model* model, int threads, const effdet_detect_options* options,
                                  effdet_detector** detector) {
  return call([&] {
    need(detector, "detector");
    *detector = new effdet_detector{
        Detector(need(model, "model").model, api::threads(threads), detect_options(options)), {}, {}};
  });
}

void effdet_detector_free(effdet_detector* detector) { delete detector; }

effdet_status effdet_detector_detect(effdet_detector* detector, const effdet_image* image,
                                     const effdet_detect_options* options, effdet_detections** detections) {
  return with(detector, [&](effdet_detector& own) {
    need(detections, "detections");
    *detections = handle_of(own.detector.detect(view_of(image), own.options(options)));
  });
}

effdet_status effdet_detector_detect_file(effdet_detector* detector, const char* path,
                                          const effdet_detect_options* options, effdet_detections** detections) {
  return with(detector, [&](effdet_detector& own) {
    need(detections, "detections");
    *detections = handle_of(own.detector.detect(std::filesystem::path(need_text(path, "path")), own.options(options)));
  });
}

effdet_status effdet_detector_detect_batch(effdet_detector* detector, const effdet_image* images, size_t count,
                                           const effdet_detect_options* options, effdet_detections** detections) {
  return with(detector, [&](effdet_detector& own) {
    std::vector<ImageView> views;
    for (size_t i = 0; i < count; ++i) views.push_back(view_of(&need(images, "images") + i));
    if (count > 0) need(detections, "detections");
    std::vector<std::unique_ptr<effdet_detections>> found;
    for (const auto& of_image : own.detector.detect_batch(views, own.options(options)))
      found.emplace_back(handle_of(of_image));
    for (size_t i = 0; i < count; ++i) detections[i] = found[i].release();
  });
}

effdet_status effdet_detector_timings(effdet_detector* detector, effdet_timings* timings) {
  return with(detector, [&](effdet_detector& own) {
    const DetectTimings last = own.detector.timings();
    need(timings, "timings") = {last.preprocess, last.inference, last.postprocess};
  });
}

effdet_status effdet_detector_letterbox(effdet_detector* detector, int width, int height, double* scale,
                                        int* scaled_width, int* scaled_height) {
  return with(detector, [&](effdet_detector& own) {
    const Letterbox box = own.detector.letterbox(width, height);
    need(scale, "scale") = box.scale;
    need(scaled_width, "scaled_width") = box.width;
    need(scaled_height, "scaled_height") = box.height;
  });
}
