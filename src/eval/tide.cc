// Matches the best detections of each image, sorts out what went wrong, and accumulates AP with one kind mended.
#include "eval/tide.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eval/score_order.h"

namespace effdet::eval {
namespace {

constexpr double kFoundIou = 0.5, kBackgroundIou = 0.1;
constexpr size_t kMaxDetections = 100;

/// A detection that took part: a true positive, or an error with what would mend it.
struct TidePoint {
  double score;
  uint32_t category;
  uint32_t mended_category;  ///< kGone: mended by leaving it out
  int8_t kind;               ///< kTrue, or a TideKind
  bool is_ignored;           ///< lies in a crowd: is no false positive, but may be mended to a true one
};
constexpr uint32_t kGone = std::numeric_limits<uint32_t>::max();
constexpr int8_t kTrue = -1;

struct TideObject {
  const Annotation* annotation;
  uint32_t category;
  bool is_found = false, is_within_reach = false;
  double best_score = -1;
  size_t best_point = 0;  ///< of the image's errors that would find it, the one with the highest score
};

struct TideDetection {
  const CocoResult* result;
  uint32_t category;
  bool is_found = false, is_ignored = false;
};

double tide_iou(const std::array<double, 4>& d, const std::array<double, 4>& g, bool is_crowd) {
  const double width = std::min(d[2] + d[0], g[2] + g[0]) - std::max(d[0], g[0]);
  const double height = std::min(d[3] + d[1], g[3] + g[1]) - std::max(d[1], g[1]);
  if (width <= 0 || height <= 0) return 0;
  const double intersection = width * height, area = d[2] * d[3];
  return intersection / (is_crowd ? area : area + g[2] * g[3] - intersection);
}

/// The object of the largest value, the first of equal ones.
struct Best {
  double value = -1;
  size_t object = 0;
  void add(double candidate, size_t index) {
    if (candidate > value) *this = {candidate, index};
  }
};

/// What is counted over all images.
struct TideCounts {
  explicit TideCounts(size_t num_categories)
      : num_objects(num_categories), unfound(num_categories), missed(num_categories) {}

  void add(const TideCounts& other) {
    for (const auto member : {&TideCounts::num_objects, &TideCounts::unfound, &TideCounts::missed})
      for (size_t k = 0; k < num_objects.size(); ++k) (this->*member)[k] += (other.*member)[k];
    for (size_t kind = 0; kind < kNumTideKinds; ++kind) kinds[kind] += other.kinds[kind];
  }

  std::vector<size_t> num_objects, unfound, missed;  ///< of each category
  std::array<size_t, kNumTideKinds> kinds{};
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
    std::stable_sort(detections.begin(), detections.end(),
                     [](const TideDetection& a, const TideDetection& b) { return a.result->score > b.result->score; });
    detections.resize(points.size());
    for (TideDetection& detection : detections) match(detection, objects);
    for (TideDetection& detection : detections) ignore_in_crowds(detection, crowds);
    wanted_.resize(points.size());
    for (size_t i = 0; i < points.size(); ++i) points[i] = point_of(i);
    // Of the errors that would find the same object one can be mended; the others would go.
    for (size_t i = 0; i < points.size(); ++i) {
      if (points[i].mended_category == kGone) continue;
      const TideObject& object = objects[wanted_[i]];
      if (object.is_found || object.best_point != i) points[i].mended_category = kGone;
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
        best.add(tide_iou(detection.result->bbox, objects[i].annotation->bbox, false), i);
    if (best.value >= kFoundIou) detection.is_found = objects[best.object].is_found = true;
  }

  static void ignore_in_crowds(TideDetection& detection, std::span<const TideObject> crowds) {
    if (detection.is_found) return;
    for (const TideObject& crowd : crowds)
      if (crowd.category == detection.category &&
          tide_iou(detection.result->bbox, crowd.annotation->bbox, true) > kFoundIou)
        detection.is_ignored = true;
  }

  TidePoint point_of(size_t index) {
    const TideDetection& detection = detections[index];
    TidePoint point{detection.result->score, detection.category, kGone, kTrue, detection.is_ignored};
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
      const double iou = tide_iou(detection.result->bbox, objects[i].annotation->bbox, false);
      const bool is_same = objects[i].category == detection.category;
      same.add(is_same ? iou : 0, i);
      other.add(is_same ? 0 : iou, i);
      found.add(is_same && objects[i].is_found ? iou : 0, i);
      any.add(iou, i);
    }
    if (objects.empty()) return {TideKind::kBackground, {}};
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

/// The points of all images, by falling score, and what was counted.
struct TideRun {
  std::vector<TidePoint> points;
  TideCounts counts;
};

/// AP of each category while points go by in order of falling score.
class TideCurves {
 public:
  explicit TideCurves(size_t num_categories) : curves_(num_categories) {}

  void add(uint32_t category, bool is_true) {
    Curve& curve = curves_[category];
    ++curve.detections;
    if (!is_true) return;
    ++curve.found;
    curve.precision.push_back(static_cast<double>(curve.found) / static_cast<double>(curve.detections));
  }

  /// The mean over categories that have objects or detections, 0 to 100.
  double mean_ap(const std::vector<size_t>& num_objects) {
    double sum = 0, count = 0;
    for (size_t k = 0; k < curves_.size(); ++k) {
      if (num_objects[k] == 0 && curves_[k].detections == 0) continue;
      sum += ap(curves_[k], static_cast<double>(num_objects[k]));
      ++count;
    }
    return count == 0 ? 0 : sum / count;
  }

 private:
  struct Curve {
    size_t detections = 0, found = 0;
    std::vector<double> precision;  ///< at each true positive
  };

  static double ap(Curve& curve, double num_objects) {
    auto& precision = curve.precision;
    if (num_objects == 0 || precision.empty()) return 0;
    for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    size_t found = 0;
    for (int r = 0; r <= 100; ++r) {
      while (found < precision.size() && static_cast<double>(found + 1) / num_objects < r / 100.0) ++found;
      if (found == precision.size()) break;
      sum += precision[found];
    }
    return sum / 101 * 100;
  }

  std::vector<Curve> curves_;
};

/// Points of equal scores go in their order, or errors before true positives, as tidecv has them once it has mended.
template <typename Function>
void for_each_point(const std::vector<TidePoint>& sorted, bool errors_first, Function function) {
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin;
    while (end < sorted.size() && sorted[end].score == sorted[begin].score) ++end;
    if (errors_first) {
      for (size_t i = begin; i < end; ++i)
        if (sorted[i].kind != kTrue) function(sorted[i]);
      for (size_t i = begin; i < end; ++i)
        if (sorted[i].kind == kTrue) function(sorted[i]);
    } else {
      for (size_t i = begin; i < end; ++i) function(sorted[i]);
    }
    begin = end;
  }
}

/// AP as it is.
double plain_ap(const TideRun& run) {
  TideCurves curves(run.counts.num_objects.size());
  for_each_point(run.points, false, [&](const TidePoint& point) {
    if (!point.is_ignored) curves.add(point.category, point.kind == kTrue);
  });
  return curves.mean_ap(run.counts.num_objects);
}

/// AP with the errors of one kind mended, of which those that find nothing go.
double mended_ap(const TideRun& run, TideKind kind) {
  TideCurves curves(run.counts.num_objects.size());
  for_each_point(run.points, true, [&](const TidePoint& point) {
    if (point.kind == static_cast<int8_t>(kind)) {
      if (point.mended_category != kGone) curves.add(point.mended_category, true);
    } else if (!point.is_ignored) {
      curves.add(point.category, point.kind == kTrue);
    }
  });
  std::vector<size_t> num_objects = run.counts.num_objects;
  if (kind == TideKind::kMissed)
    for (size_t k = 0; k < num_objects.size(); ++k) num_objects[k] -= run.counts.missed[k];
  return curves.mean_ap(num_objects);
}

double ap_without_false_positives(const TideRun& run) {
  TideCurves curves(run.counts.num_objects.size());
  for (const bool is_true : {true, false})
    for (const TidePoint& point : run.points)
      if (!point.is_ignored && (point.kind == kTrue) == is_true) curves.add(point.category, is_true);
  return curves.mean_ap(run.counts.num_objects);
}

double ap_without_false_negatives(const TideRun& run) {
  TideCurves curves(run.counts.num_objects.size());
  for_each_point(run.points, true, [&](const TidePoint& point) {
    if (!point.is_ignored) curves.add(point.category, point.kind == kTrue);
  });
  std::vector<size_t> num_objects = run.counts.num_objects;
  for (size_t k = 0; k < num_objects.size(); ++k) num_objects[k] -= run.counts.unfound[k];
  return curves.mean_ap(num_objects);
}

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

/// Images share nothing, and each knows the place of its points: the same ones at any number of threads.
TideRun sort_out_images(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                        ThreadPool& pool) {
  const TideChoice choice(dataset, params, pool);
  const ByImage annotations = choice.group(std::span<const Annotation>(dataset.annotations));
  const ByImage detections = choice.group(results);
  const size_t num_images = dataset.images.size();
  std::vector<size_t> first_points(num_images + 1);
  for (size_t i = 0; i < num_images; ++i)
    first_points[i + 1] = first_points[i] + std::min(detections.of(i).size(), kMaxDetections);
  TideRun run{.points = std::vector<TidePoint>(first_points.back()), .counts = TideCounts(choice.num_categories())};
  std::vector<TideImage> threads(static_cast<size_t>(pool.size()), TideImage(choice.num_categories()));
  constexpr size_t kImagesInTask = 64;
  pool.parallel_for(
      static_cast<int64_t>((num_images + kImagesInTask - 1) / kImagesInTask), [&](int64_t task, int thread) {
        TideImage& image = threads[static_cast<size_t>(thread)];
        const size_t begin = static_cast<size_t>(task) * kImagesInTask;
        for (size_t i = begin; i < std::min(begin + kImagesInTask, num_images); ++i) {
          image.clear();
          for (const uint32_t a : annotations.of(i)) {
            const Annotation& annotation = dataset.annotations[a];
            (annotation.is_crowd ? image.crowds : image.objects).push_back({&annotation, annotations.categories[a]});
          }
          for (const uint32_t d : detections.of(i)) image.detections.push_back({&results[d], detections.categories[d]});
          image.sort_out(std::span(run.points).subspan(first_points[i], first_points[i + 1] - first_points[i]));
        }
      });
  for (const TideImage& image : threads) run.counts.add(image.counts);
  return run;
}

void sort_points(std::vector<TidePoint>& points) {
  std::vector<KeyedPlace> keyed(points.size());
  for (uint32_t i = 0; i < points.size(); ++i) keyed[i] = {score_key(points[i].score), i};
  std::vector<KeyedPlace> scratch;
  sort_by_score(keyed, scratch);
  scratch = {};
  std::vector<TidePoint> sorted(points.size());
  for (size_t i = 0; i < sorted.size(); ++i) sorted[i] = points[keyed[i].place];
  points = std::move(sorted);
}

}  // namespace

TideErrors find_tide_errors(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params,
                            ThreadPool& pool) {
  TideRun run = sort_out_images(dataset, results, params, pool);
  sort_points(run.points);
  TideErrors errors;
  errors.counts = run.counts.kinds;
  constexpr int64_t kWalks = kNumTideKinds + 3;
  pool.parallel_for(kWalks, [&](int64_t walk, int) {
    const auto kind = static_cast<size_t>(walk);
    if (kind < kNumTideKinds) {
      errors.costs[kind] = mended_ap(run, static_cast<TideKind>(kind));
    } else if (kind == kNumTideKinds) {
      errors.ap = plain_ap(run);
    } else if (kind == kNumTideKinds + 1) {
      errors.false_positives = ap_without_false_positives(run);
    } else {
      errors.false_negatives = ap_without_false_negatives(run);
    }
  });
  for (double& cost : errors.costs) cost = std::max(cost - errors.ap, 0.0);
  errors.false_positives -= errors.ap;
  errors.false_negatives -= errors.ap;
  return errors;
}

}  // namespace effdet::eval
