// Matches the best detections of each image, sorts out what went wrong, and accumulates AP with one kind mended.
#include "eval/tide.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

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
  size_t best_point = 0;  ///< of the errors that would find it, the one with the highest score
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

/// One image at a time; collects the points and what is missed.
class TideImages {
 public:
  explicit TideImages(size_t num_categories)
      : num_objects(num_categories), unfound(num_categories), missed(num_categories) {}

  void add_image(std::vector<TideObject> objects, std::span<const TideObject> crowds,
                 std::vector<TideDetection> detections) {
    std::stable_sort(detections.begin(), detections.end(),
                     [](const TideDetection& a, const TideDetection& b) { return a.result->score > b.result->score; });
    detections.resize(std::min(detections.size(), kMaxDetections));
    for (TideDetection& detection : detections) match(detection, objects);
    for (TideDetection& detection : detections) ignore_in_crowds(detection, crowds);
    const size_t first_point = points.size();
    for (const TideDetection& detection : detections) add_point(detection, objects);
    // Of the errors that would find the same object one can be mended; the others would go.
    for (size_t i = first_point; i < points.size(); ++i) {
      if (points[i].mended_category == kGone) continue;
      const TideObject& object = objects[wanted_[i - first_point]];
      if (object.is_found || object.best_point != i) points[i].mended_category = kGone;
    }
    wanted_.clear();
    for (const TideObject& object : objects) count_object(object);
  }

  std::vector<TidePoint> points;
  std::vector<size_t> num_objects, unfound, missed;  ///< of each category
  std::array<size_t, kNumTideKinds> counts{};

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

  void add_point(const TideDetection& detection, std::vector<TideObject>& objects) {
    TidePoint point{detection.result->score, detection.category, kGone, kTrue, detection.is_ignored};
    size_t wanted = 0;
    if (!detection.is_found) {
      const auto [kind, object] = error_of(detection, objects);
      point.kind = static_cast<int8_t>(kind);
      ++counts[static_cast<size_t>(kind)];
      if (object.has_value()) {
        wanted = *object;
        want(objects[wanted], point);
      }
    }
    points.push_back(point);
    wanted_.push_back(wanted);
  }

  void want(TideObject& object, TidePoint& point) {
    point.mended_category = object.category;
    if (object.is_found) return;
    object.is_within_reach = true;
    if (point.score > object.best_score) {
      object.best_score = point.score;
      object.best_point = points.size();
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
    ++num_objects[object.category];
    if (object.is_found) return;
    ++unfound[object.category];
    if (object.is_within_reach) return;
    ++missed[object.category];
    ++counts[static_cast<size_t>(TideKind::kMissed)];
  }

  std::vector<size_t> wanted_;  ///< of each point of the image, the object that it would find
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
double plain_ap(const TideImages& images) {
  TideCurves curves(images.num_objects.size());
  for_each_point(images.points, false, [&](const TidePoint& point) {
    if (!point.is_ignored) curves.add(point.category, point.kind == kTrue);
  });
  return curves.mean_ap(images.num_objects);
}

/// AP with the errors of one kind mended, of which those that find nothing go.
double mended_ap(const TideImages& images, TideKind kind) {
  TideCurves curves(images.num_objects.size());
  for_each_point(images.points, true, [&](const TidePoint& point) {
    if (point.kind == static_cast<int8_t>(kind)) {
      if (point.mended_category != kGone) curves.add(point.mended_category, true);
    } else if (!point.is_ignored) {
      curves.add(point.category, point.kind == kTrue);
    }
  });
  std::vector<size_t> num_objects = images.num_objects;
  if (kind == TideKind::kMissed)
    for (size_t k = 0; k < num_objects.size(); ++k) num_objects[k] -= images.missed[k];
  return curves.mean_ap(num_objects);
}

double ap_without_false_positives(const TideImages& images) {
  TideCurves curves(images.num_objects.size());
  for (const bool is_true : {true, false})
    for (const TidePoint& point : images.points)
      if (!point.is_ignored && (point.kind == kTrue) == is_true) curves.add(point.category, is_true);
  return curves.mean_ap(images.num_objects);
}

double ap_without_false_negatives(const TideImages& images) {
  TideCurves curves(images.num_objects.size());
  for_each_point(images.points, true, [&](const TidePoint& point) {
    if (!point.is_ignored) curves.add(point.category, point.kind == kTrue);
  });
  std::vector<size_t> num_objects = images.num_objects;
  for (size_t k = 0; k < num_objects.size(); ++k) num_objects[k] -= images.unfound[k];
  return curves.mean_ap(num_objects);
}

/// Objects, crowds and detections of one image.
struct TideRecords {
  std::vector<TideObject> objects, crowds;
  std::vector<TideDetection> detections;
};

TideImages collect(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params) {
  std::unordered_map<int64_t, uint32_t> categories;
  for (const int64_t id : params.category_ids) categories.emplace(id, static_cast<uint32_t>(categories.size()));
  std::vector<TideRecords> records(dataset.images.size());
  const auto in_image = [&](int64_t id) {
    const auto image = dataset.image_index.find(id);
    return image == dataset.image_index.end() ? nullptr : &records[image->second];
  };
  for (const Annotation& annotation : dataset.annotations) {
    const auto category = categories.find(annotation.category_id);
    TideRecords* image = in_image(annotation.image_id);
    if (image == nullptr || category == categories.end()) continue;
    (annotation.is_crowd ? image->crowds : image->objects).push_back({&annotation, category->second});
  }
  for (const CocoResult& result : results) {
    const auto category = categories.find(result.category_id);
    TideRecords* image = in_image(result.image_id);
    if (image != nullptr && category != categories.end()) image->detections.push_back({&result, category->second});
  }
  TideImages images(categories.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (!std::binary_search(params.image_ids.begin(), params.image_ids.end(), dataset.images[i].id)) continue;
    images.add_image(std::move(records[i].objects), records[i].crowds, std::move(records[i].detections));
  }
  return images;
}

}  // namespace

TideErrors find_tide_errors(const GroundTruth& dataset, std::span<const CocoResult> results, const CocoParams& params) {
  TideImages images = collect(dataset, results, params);
  std::stable_sort(images.points.begin(), images.points.end(),
                   [](const TidePoint& a, const TidePoint& b) { return a.score > b.score; });
  TideErrors errors;
  errors.ap = plain_ap(images);
  errors.counts = images.counts;
  for (size_t kind = 0; kind < kNumTideKinds; ++kind)
    errors.costs[kind] = std::max(mended_ap(images, static_cast<TideKind>(kind)) - errors.ap, 0.0);
  errors.false_positives = ap_without_false_positives(images) - errors.ap;
  errors.false_negatives = ap_without_false_negatives(images) - errors.ap;
  return errors;
}

}  // namespace effdet::eval
