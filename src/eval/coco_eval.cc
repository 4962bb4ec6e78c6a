// Precision and recall over categories, area ranges and IoU thresholds, summed up as COCOeval does.
#include "eval/coco_eval.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "eval/coco_match.h"

namespace effdet::eval {
namespace {

constexpr size_t kNumRecallThresholds = 101;
constexpr std::array<size_t, 3> kMaxDetections{1, 10, 100};
constexpr size_t kMaxCategories = 10000;

/// An annotation or result by the places of its category and image among those evaluated, and its own place.
struct Entry {
  size_t category, image, index;
};

/// The place of a value in a sorted list of distinct ones, or -1 (as size_t) where it is not there.
constexpr size_t kAbsent = static_cast<size_t>(-1);
size_t place_of(const std::vector<int64_t>& sorted, int64_t value) {
  const auto found = std::lower_bound(sorted.begin(), sorted.end(), value);
  return found == sorted.end() || *found != value ? kAbsent : static_cast<size_t>(found - sorted.begin());
}

std::vector<int64_t> sorted_unique(std::vector<int64_t> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// Entries by category, then image, then order of the file.
template <typename Item>
std::vector<Entry> group(std::span<const Item> items, const std::vector<int64_t>& categories,
                         const std::vector<int64_t>& images) {
  std::vector<Entry> entries;
  entries.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const size_t category = place_of(categories, items[i].category_id), image = place_of(images, items[i].image_id);
    if (category != kAbsent && image != kAbsent) entries.push_back({category, image, i});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.category, a.image, a.index) < std::tie(b.category, b.image, b.index);
  });
  return entries;
}

/// The front part of entries that lies in one category (and image); taken off entries.
template <typename Belongs>
std::span<const Entry> take_while(std::span<const Entry>& entries, Belongs belongs) {
  const auto end = std::find_if_not(entries.begin(), entries.end(), belongs);
  const auto count = static_cast<size_t>(end - entries.begin());
  const auto front = entries.first(count);
  entries = entries.subspan(count);
  return front;
}

/// All detections of one category, image after image, with what became of them.
struct CategoryMatches {
  std::vector<double> scores;
  /// Place among the detections of its image, best first.
  std::vector<size_t> ranks;
  std::array<std::vector<Outcome>, kNumAreaRanges> outcomes;
  std::array<size_t, kNumAreaRanges> num_objects{};
};

void add_image(std::span<const TrueBox> objects, std::vector<ScoredResult> detections, CategoryMatches& matches) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const ScoredResult& a, const ScoredResult& b) { return a.score > b.score; });
  if (detections.size() > kMaxDetections.back()) detections.resize(kMaxDetections.back());
  const auto match = match_image(objects, detections);
  for (size_t i = 0; i < detections.size(); ++i) {
    matches.scores.push_back(detections[i].score);
    matches.ranks.push_back(i);
  }
  for (size_t area = 0; area < kNumAreaRanges; ++area) {
    auto& outcomes = matches.outcomes[area];
    outcomes.insert(outcomes.end(), match.outcomes[area].begin(), match.outcomes[area].end());
    matches.num_objects[area] += match.num_objects[area];
  }
}

CategoryMatches match_category(std::span<const Entry> objects, std::span<const Entry> detections,
                               const GroundTruth& dataset, std::span<const CocoResult> results) {
  CategoryMatches matches;
  while (!objects.empty() || !detections.empty()) {
    const size_t image = std::min(objects.empty() ? kAbsent : objects.front().image,
                                  detections.empty() ? kAbsent : detections.front().image);
    const auto here = [image](const Entry& entry) { return entry.image == image; };
    std::vector<TrueBox> image_objects;
    for (const auto& entry : take_while(objects, here)) {
      const auto& annotation = dataset.annotations[entry.index];
      image_objects.push_back({annotation.bbox, annotation.area, annotation.is_crowd, annotation.id == 0});
    }
    std::vector<ScoredResult> image_detections;
    for (const auto& entry : take_while(detections, here)) {
      image_detections.push_back({results[entry.index].bbox, results[entry.index].score});
    }
    add_image(image_objects, std::move(image_detections), matches);
  }
  return matches;
}

/// numpy's sum of a float64 array: blocks of 128 with eight running sums, halves above that. The order of additions
/// decides the last bits of a mean.
double pairwise_sum(std::span<const double> values) {
  const size_t count = values.size();
  if (count < 8) {
    double sum = 0;
    for (double value : values) sum += value;
    return sum;
  }
  if (count > 128) {
    const size_t half = count / 2 - count / 2 % 8;
    return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
  }
  std::array<double, 8> sums{};
  std::copy_n(values.begin(), 8, sums.begin());
  size_t i = 8;
  for (; i < count - count % 8; i += 8) {
    for (size_t j = 0; j < 8; ++j) sums[j] += values[i + j];
  }
  double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  for (; i < count; ++i) sum += values[i];
  return sum;
}

/// The mean of the values that are set (above -1), or -1.
double mean_of_set(const std::vector<double>& values) {
  std::vector<double> set;
  set.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(set), [](double value) { return value > -1; });
  return set.empty() ? -1 : pairwise_sum(set) / static_cast<double>(set.size());
}

/// Precision at 101 recall thresholds for one area range and IoU threshold. order: detections by falling score.
std::array<double, kNumRecallThresholds> precision_curve(const std::vector<Outcome>& outcomes,
                                                         const std::vector<size_t>& order, size_t threshold,
                                                         size_t num_objects) {
  // Both recall and the best precision from some recall on change at true positives only, so these suffice.
  std::vector<double> precision;
  double true_positives = 0, false_positives = 0;
  for (size_t i : order) {
    if ((outcomes[i].true_positive >> threshold & 1U) != 0) {
      ++true_positives;
      precision.push_back(true_positives / (false_positives + true_positives + std::numeric_limits<double>::epsilon()));
    } else if ((outcomes[i].false_positive >> threshold & 1U) != 0) {
      ++false_positives;
    }
  }
  for (size_t i = precision.size(); i-- > 1;) precision[i - 1] = std::max(precision[i - 1], precision[i]);
  std::array<double, kNumRecallThresholds> curve{};
  size_t found = 0;
  for (size_t r = 0; r < curve.size(); ++r) {
    // numpy.linspace(0, 1, 101), the last value of which is set to 1.
    const double recall = r + 1 == curve.size() ? 1.0 : static_cast<double>(r) * 0.01;
    while (found < precision.size() && static_cast<double>(found + 1) / static_cast<double>(num_objects) < recall) {
      ++found;
    }
    if (found == precision.size()) break;
    curve[r] = precision[found];
  }
  return curve;
}

/// precision and recall of COCOeval.eval, so far as the twelve numbers need them; -1 where a category has no objects.
class Accumulator {
 public:
  explicit Accumulator(size_t num_categories) : num_categories_(num_categories) {
    for (auto& values : precision_) values.assign(kNumIouThresholds * kNumRecallThresholds * num_categories, -1);
    for (auto& by_area : recall_) {
      for (auto& values : by_area) values.assign(kNumIouThresholds * num_categories, -1);
    }
  }

  void add(size_t category, const CategoryMatches& matches) {
    std::vector<size_t> order(matches.scores.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return matches.scores[a] > matches.scores[b]; });
    for (size_t area = 0; area < kNumAreaRanges; ++area) {
      if (matches.num_objects[area] == 0) continue;
      for (size_t t = 0; t < kNumIouThresholds; ++t) {
        const auto curve = precision_curve(matches.outcomes[area], order, t, matches.num_objects[area]);
        for (size_t r = 0; r < curve.size(); ++r) precision_[area][index(t, r, category)] = curve[r];
        add_recall(category, matches, area, t);
      }
    }
  }

  double average_precision(size_t area) const { return mean_of_set(precision_[area]); }

  double average_precision_at(size_t iou_threshold) const {
    const auto first = precision_[0].begin() + static_cast<std::ptrdiff_t>(index(iou_threshold, 0, 0));
    return mean_of_set({first, first + static_cast<std::ptrdiff_t>(kNumRecallThresholds * num_categories_)});
  }

  double average_recall(size_t area, size_t max_detections) const { return mean_of_set(recall_[max_detections][area]); }

  double category_precision(size_t category) const {
    std::vector<double> values;
    for (size_t t = 0; t < kNumIouThresholds; ++t) {
      for (size_t r = 0; r < kNumRecallThresholds; ++r) values.push_back(precision_[0][index(t, r, category)]);
    }
    return mean_of_set(values);
  }

 private:
  /// IoU threshold, recall threshold, category: the order in which numpy sums.
  size_t index(size_t t, size_t r, size_t category) const {
    return (t * kNumRecallThresholds + r) * num_categories_ + category;
  }

  void add_recall(size_t category, const CategoryMatches& matches, size_t area, size_t t) {
    std::array<size_t, kMaxDetections.size()> found{};
    for (size_t i = 0; i < matches.ranks.size(); ++i) {
      if ((matches.outcomes[area][i].true_positive >> t & 1U) == 0) continue;
      for (size_t m = 0; m < found.size(); ++m) found[m] += matches.ranks[i] < kMaxDetections[m] ? 1 : 0;
    }
    for (size_t m = 0; m < found.size(); ++m) {
      recall_[m][area][t * num_categories_ + category] =
          static_cast<double>(found[m]) / static_cast<double>(matches.num_objects[area]);
    }
  }

  size_t num_categories_;
  std::array<std::vector<double>, kNumAreaRanges> precision_;
  std::array<std::array<std::vector<double>, kNumAreaRanges>, kMaxDetections.size()> recall_;
};

std::vector<int64_t> category_ids(const GroundTruth& dataset) {
  if (dataset.categories.size() > kMaxCategories) {
    fail(ErrorCode::kUnsupported, "evaluation: {} categories, at most {} are supported", dataset.categories.size(),
         kMaxCategories);
  }
  std::vector<int64_t> ids;
  for (const auto& category : dataset.categories) ids.push_back(category.id);
  return sorted_unique(std::move(ids));
}

std::array<double, 12> to_stats(const Accumulator& sums) {
  constexpr size_t kAp50 = 0, kAp75 = 5;  // places of the IoU thresholds 0.50 and 0.75
  return {sums.average_precision(0), sums.average_precision_at(kAp50), sums.average_precision_at(kAp75),
          sums.average_precision(1), sums.average_precision(2),        sums.average_precision(3),
          sums.average_recall(0, 0), sums.average_recall(0, 1),        sums.average_recall(0, 2),
          sums.average_recall(1, 2), sums.average_recall(2, 2),        sums.average_recall(3, 2)};
}

}  // namespace

CocoEvaluation evaluate_coco(const GroundTruth& dataset, std::span<const CocoResult> results,
                             std::span<const int64_t> image_ids) {
  const auto categories = category_ids(dataset);
  const auto images = sorted_unique({image_ids.begin(), image_ids.end()});
  const auto objects = group<Annotation>(dataset.annotations, categories, images);
  const auto detections = group<CocoResult>(results, categories, images);
  std::span<const Entry> objects_left(objects), detections_left(detections);
  Accumulator sums(categories.size());
  CocoEvaluation evaluation;
  for (size_t k = 0; k < categories.size(); ++k) {
    const auto in_category = [k](const Entry& entry) { return entry.category == k; };
    const auto category_objects = take_while(objects_left, in_category);
    const auto category_detections = take_while(detections_left, in_category);
    sums.add(k, match_category(category_objects, category_detections, dataset, results));
    evaluation.categories.push_back({categories[k], sums.category_precision(k)});
  }
  evaluation.stats = to_stats(sums);
  return evaluation;
}

std::vector<std::string> summary_lines(const std::array<double, 12>& stats) {
  struct Line {
    const char *title, *type, *iou, *area;
    int max_detections;
  };
  constexpr const char *kPrecision = "Average Precision", *kRecall = "Average Recall", *kRange = "0.50:0.95";
  constexpr std::array<Line, 12> kLines{{{kPrecision, "(AP)", kRange, "all", 100},
                                         {kPrecision, "(AP)", "0.50", "all", 100},
                                         {kPrecision, "(AP)", "0.75", "all", 100},
                                         {kPrecision, "(AP)", kRange, "small", 100},
                                         {kPrecision, "(AP)", kRange, "medium", 100},
                                         {kPrecision, "(AP)", kRange, "large", 100},
                                         {kRecall, "(AR)", kRange, "all", 1},
                                         {kRecall, "(AR)", kRange, "all", 10},
                                         {kRecall, "(AR)", kRange, "all", 100},
                                         {kRecall, "(AR)", kRange, "small", 100},
                                         {kRecall, "(AR)", kRange, "medium", 100},
                                         {kRecall, "(AR)", kRange, "large", 100}}};
  std::vector<std::string> lines;
  for (size_t i = 0; i < kLines.size(); ++i) {
    const auto& line = kLines[i];
    lines.push_back(fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6s} | maxDets={:>3d} ] = {:0.3f}", line.title,
                                line.type, line.iou, line.area, line.max_detections, stats[i]));
  }
  return lines;
}

}  // namespace effdet::eval
