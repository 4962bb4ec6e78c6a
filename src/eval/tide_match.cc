// Matches the best detections of each image, and sorts out what went wrong.
#include "eval/tide_match.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

#include "eval/coco_match.h"

namespace effdet::eval {
namespace {

constexpr double kFoundIou = 0.5, kBackgroundIou = 0.1;
constexpr size_t kMaxDetections = 100;

struct TideObject {
  std::array<double, 4> bbox;
  uint32_t category;
  bool is_found = false, is_within_reach = false;
  double best_score = -1;
  size_t best_point = 0;  ///< of the image's errors that would find it, the one with the highest score
};

struct TideDetection {
  std::array<double, 4> bbox;
  double score;
  uint32_t category;
  bool is_found = false, is_ignored = false;
};

/// The object of the largest IoU, the first of equal ones; of none that meets the box, value is 0.
struct Best {
  double value = 0;
  size_t object = 0;
  void add(double candidate, size_t index) {
    if (candidate > value) *this = {candidate, index};
  }
};

/// One image at a time: its points, and what is missed.
class TideImage {
 public:
  explicit TideImage(size_t num_categories) : counts(num_categories) {}

  void clear() {
    objects.clear();
    crowds.clear();
    detections.clear();
  }

  /// One point for each of the best detections. Precondition: no more of them than detections.
  void sort_out(std::span<TidePoint> points) {
    const auto is_better = [](const TideDetection& a, const TideDetection& b) { return a.score > b.score; };
    if (!std::is_sorted(detections.begin(), detections.end(), is_better))  // mostly they are
      std::stable_sort(detections.begin(), detections.end(), is_better);
    detections.resize(points.size());
    for (TideDetection& detection : detections) match(detection, objects);
    for (TideDetection& detection : detections) ignore_in_crowds(detection, crowds);
    wanted_.resize(points.size());
    for (size_t i = 0; i < points.size(); ++i) points[i] = point_of(i);
    // Of the errors that would find the same object one can be mended; the others would go.
    for (size_t i = 0; i < points.size(); ++i) {
      if (points[i].mended_category == TidePoint::kGone) continue;
      const TideObject& object = objects[wanted_[i]];
      if (object.is_found || object.best_point != i) points[i].mended_category = TidePoint::kGone;
    }
    for (const TideObject& object : objects) count_object(object);
  }

  std::vector<TideObject> objects, crowds;
  std::vector<TideDetection> detections;
  TideCounts counts;  ///< of all images so far

 private:
  static void match(TideDetection& detection, std::vector<TideObject>& objects) {
    Best best;
    for (size_t i = 0; i < objects.size(); ++i)
      if (objects[i].category == detection.category && !objects[i].is_found)
        best.add(box_iou(detection.bbox, objects[i].bbox, false), i);
    if (best.value >= kFoundIou) detection.is_found = objects[best.object].is_found = true;
  }

  static void ignore_in_crowds(TideDetection& detection, std::span<const TideObject> crowds) {
    if (detection.is_found) return;
    for (const TideObject& crowd : crowds)
      if (crowd.category == detection.category && box_iou(detection.bbox, crowd.bbox, true) > kFoundIou)
        detection.is_ignored = true;
  }

  TidePoint point_of(size_t index) {
    const TideDetection& detection = detections[index];
    TidePoint point{detection.score, detection.category, TidePoint::kGone, TidePoint::kTrue, detection.is_ignored};
    if (detection.is_found) return point;
    const auto [kind, object] = error_of(detection, objects);
    point.kind = static_cast<int8_t>(kind);
    ++counts.kinds[static_cast<size_t>(kind)];
    if (object.has_value()) {
      wanted_[index] = *object;
      want(objects[*object], point, index);
    }
    return point;
  }

  static void want(TideObject& object, TidePoint& point, size_t index) {
    point.mended_category = object.category;
    if (object.is_found) return;
    object.is_within_reach = true;
    if (point.score > object.best_score) {
      object.best_score = point.score;
      object.best_point = index;
    }
  }

  /// The kind of an error, and the object that it would find were it mended.
  static std::pair<TideKind, std::optional<size_t>> error_of(const TideDetection& detection,
                                                             const std::vector<TideObject>& objects) {
    Best same, other, found, any;
    for (size_t i = 0; i < objects.size(); ++i) {
      const double iou = box_iou(detection.bbox, objects[i].bbox, false);
      if (iou == 0) continue;  // as most are
      const bool is_same = objects[i].category == detection.category;
      (is_same ? same : other).add(iou, i);
      if (is_same && objects[i].is_found) found.add(iou, i);
      any.add(iou, i);
    }
    if (same.value >= kBackgroundIou && same.value <= kFoundIou) return {TideKind::kBox, same.object};
    if (other.value >= kFoundIou) return {TideKind::kClass, other.object};
    if (found.value >= kFoundIou) return {TideKind::kDuplicate, {}};
    return {any.value <= kBackgroundIou ? TideKind::kBackground : TideKind::kBoth, {}};
  }

  void count_object(const TideObject& object) {
    ++counts.num_objects[object.category];
    if (object.is_found) return;
    ++counts.unfound[object.category];
    if (object.is_within_reach) return;
    ++counts.missed[object.category];
    ++counts.kinds[static_cast<size_t>(TideKind::kMissed)];
  }

  std::vector<size_t> wanted_;  ///< of each point, the object that it would find
};

constexpr uint32_t kNoImage = std::numeric_limits<uint32_t>::max();

/// Which records are of which image, in the order of the file.
struct ByImage {
  std::vector<uint32_t> categories;  ///< of each record, its place among those evaluated
  std::vector<uint32_t> records;     ///< by image
  std::vector<uint32_t> begins;      ///< of each image in records; one more at the end

  std::span<const uint32_t> of(size_t image) const {
    return std::span(records).subspan(begins[image], begins[image + 1] - begins[image]);
  }
};

/// Images and categories that are evaluated.
class TideChoice {
 public:
  TideChoice(const GroundTruth& dataset, const CocoParams& params, ThreadPool& pool)
      : dataset_(dataset), pool_(pool), is_chosen_(dataset.images.size()) {
    for (const int64_t id : params.category_ids) categories_.emplace(id, static_cast<uint32_t>(categories_.size()));
    for (size_t i = 0; i < is_chosen_.size(); ++i)
      is_chosen_[i] = std::ranges::binary_search(params.image_ids, dataset.images[i].id) ? 1 : 0;
  }

  size_t num_categories() const { return categories_.size(); }

  template <typename Record>
  ByImage group(std::span<const Record> records) const {
    ByImage groups;
    groups.categories.resize(records.size());
    std::vector<uint32_t> images(records.size());
    for_each_block(records.size(), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const bool is_same = i > begin && records[i].image_id == records[i - 1].image_id;  // mostly
        images[i] = is_same && images[i - 1] != kNoImage ? images[i - 1] : image_of(records[i].image_id);
        const auto category = categories_.find(records[i].category_id);
        if (category == categories_.end()) {
          images[i] = kNoImage;
        } else {
          groups.categories[i] = category->second;
        }
      }
    });
    groups.begins.resize(dataset_.images.size() + 1);
    for (const uint32_t image : images)
      if (image != kNoImage) ++groups.begins[image + 1];
    std::partial_sum(groups.begins.begin(), groups.begins.end(), groups.begins.begin());
    groups.records.resize(groups.begins.back());
    std::vector<uint32_t> next(groups.begins.begin(), groups.begins.end() - 1);
    for (uint32_t i = 0; i < images.size(); ++i)
      if (images[i] != kNoImage) groups.records[next[images[i]]++] = i;
    return groups;
  }

  /// Calls function(begin, end) for blocks of that many items, on all threads.
  template <typename Function>
  void for_each_block(size_t count, Function function) const {
    constexpr size_t kBlock = 1 << 14;
    pool_.parallel_for(static_cast<int64_t>((count + kBlock - 1) / kBlock), [&](int64_t block, int) {
      const size_t begin = static_cast<size_t>(block) * kBlock;
      function(begin, std::min(begin + kBlock, count));
    });
  }

 private:
  /// The image's place, or kNoImage.
  uint32_t image_of(int64_t id) const {
    const auto found = dataset_.image_index.find(id);
    return found != dataset_.image_index.end() && is_chosen_[found->second] != 0 ? static_cast<uint32_t>(found->second)
                                                                                 : kNoImage;
  }

  const GroundTruth& dataset_;
  ThreadPool& pool_;
  std::unordered_map<int64_t, uint32_t> categories_;
  std::vector<uint8_t> is_chosen_;  ///< by image
};

}  // namespace

/// Images share nothing, and each knows the place of its points: the same ones at any number of threads.
TideMatches match_tide(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                       ThreadPool& pool) {
  const TideChoice choice(dataset, params, pool);
  const ByImage annotations = choice.group(std::span<const Annotation>(dataset.annotations));
  const ByImage detections = choice.group(results);
  const size_t num_images = dataset.images.size();
  std::vector<size_t> first_points(num_images + 1);
  for (size_t i = 0; i < num_images; ++i)
    first_points[i + 1] = first_points[i] + std::min(detections.of(i).size(), kMaxDetections);
  TideMatches matches{.points = std::vector<TidePoint>(first_points.back()),
                      .counts = TideCounts(choice.num_categories())};
  std::vector<TideImage> threads(static_cast<size_t>(pool.size()), TideImage(choice.num_categories()));
  constexpr size_t kImagesInTask = 64;
  pool.parallel_for(static_cast<int64_t>((num_images + kImagesInTask - 1) / kImagesInTask), [&](int64_t task,
                                                                                                int thread) {
    TideImage& image = threads[static_cast<size_t>(thread)];
    const size_t begin = static_cast<size_t>(task) * kImagesInTask;
    for (size_t i = begin; i < std::min(begin + kImagesInTask, num_images); ++i) {
      image.clear();
      for (const uint32_t a : annotations.of(i)) {
        const Annotation& annotation = dataset.annotations[a];
        (annotation.is_crowd ? image.crowds : image.objects).push_back({annotation.bbox, annotations.categories[a]});
      }
      for (const uint32_t d : detections.of(i))
        image.detections.push_back({results[d].bbox, results[d].score, detections.categories[d]});
      image.sort_out(std::span(matches.points).subspan(first_points[i], first_points[i + 1] - first_points[i]));
    }
  });
  for (const TideImage& image : threads) matches.counts.add(image.counts);
  return matches;
}

}  // namespace effdet::eval
