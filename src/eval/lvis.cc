// Which results LVIS evaluates, and the numbers that it makes of the arrays.
#include "eval/lvis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "eval/coco_sums.h"

namespace effdet::eval {
namespace {

/// Of each result the place of its image.
std::vector<uint32_t> places_of(const GroundTruth& dataset, std::span<const CocoResult> results) {
  std::vector<uint32_t> places(results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    const bool same = i > 0 && results[i].image_id == results[i - 1].image_id;  // they mostly come image by image
    places[i] = same ? places[i - 1] : static_cast<uint32_t>(dataset.image_index.at(results[i].image_id));
  }
  return places;
}

/// Which results are among the best of their image.
std::vector<char> among_best(std::span<const CocoResult> results, std::span<const uint32_t> places, size_t num_images,
                             size_t limit) {
  std::vector<uint32_t> ends(num_images + 1);
  for (const uint32_t place : places) ++ends[place + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<uint32_t> by_image(results.size());
  for (uint32_t i = 0; i < results.size(); ++i) by_image[ends[places[i]]++] = i;  // now the end of each image
  std::vector<char> kept(results.size(), 1);
  for (size_t begin = 0, image = 0; image < num_images; begin = ends[image++]) {
    const std::span<uint32_t> of_image = std::span(by_image).subspan(begin, ends[image] - begin);
    if (of_image.size() <= limit) continue;
    std::ranges::stable_sort(of_image, std::greater<>(), [&](uint32_t i) { return results[i].score; });
    for (const uint32_t i : of_image.subspan(limit)) kept[i] = 0;
  }
  return kept;
}

/// Of each image the categories that it was searched for, in rising order.
std::vector<std::vector<int64_t>> searched_categories(const GroundTruth& dataset) {
  std::vector<std::vector<int64_t>> categories;
  for (const ImageRecord& image : dataset.images) categories.push_back(image.absent_categories);
  for (const Annotation& annotation : dataset.annotations)
    categories[dataset.image_index.at(annotation.image_id)].push_back(annotation.category_id);
  for (auto& list : categories) std::ranges::sort(list);
  return categories;
}

constexpr std::array<char, 3> kFrequencies = {'r', 'c', 'f'};

/// What a line says of its number, where that is not all thresholds, sizes and categories.
struct Words {
  std::string iou = {}, area = "all", categories = "all";
};

/// Writes lines in lvis-api's words.
class LvisSummary {
 public:
  LvisSummary(const GroundTruth& dataset, const CocoEvaluation& evaluation)
      : params_(evaluation.params), sums_(evaluation), all_(all_categories(evaluation.arrays.categories)) {
    std::unordered_map<int64_t, char> frequencies;
    for (const Category& category : dataset.categories) frequencies.emplace(category.id, category.frequency);
    for (size_t k = 0; k < params_.category_ids.size(); ++k)
      for (size_t f = 0; f < kFrequencies.size(); ++f)
        if (frequencies.at(params_.category_ids[k]) == kFrequencies[f]) of_frequency_[f].push_back(k);
  }

  std::vector<CocoMetric> write() {
    const size_t areas = params_.area_ranges.size(), limit = params_.max_detections.back();
    add("AP", sums_.average_precision({0, -1, all_}));
    add("AP50", sums_.average_precision({0, 0.5, all_}), {.iou = "0.50"});
    add("AP75", sums_.average_precision({0, 0.75, all_}), {.iou = "0.75"});
    for (size_t a = 1; a < areas; ++a)
      add("AP" + suffix(a), sums_.average_precision({a, -1, all_}), {.area = short_label(a)});
    for (size_t f = 0; f < kFrequencies.size(); ++f)
      add(fmt::format("AP{}", kFrequencies[f]), sums_.average_precision({0, -1, of_frequency_[f]}),
          {.categories = std::string(1, kFrequencies[f])});
    add(fmt::format("AR@{}", limit), sums_.average_recall({0, -1, all_}, 0));
    for (size_t a = 1; a < areas; ++a)
      add(fmt::format("AR{}@{}", suffix(a), limit), sums_.average_recall({a, -1, all_}, 0), {.area = short_label(a)});
    return std::move(metrics_);
  }

 private:
  std::string short_label(size_t area) const {
    const std::string& label = params_.area_ranges[area].label;
    return label == "small" || label == "medium" || label == "large" ? label.substr(0, 1) : label;
  }
  std::string suffix(size_t area) const {
    const std::string label = short_label(area);
    return label.size() == 1 ? label : "_" + label;
  }

  void add(std::string name, double value, const Words& words = {}) {
    const bool is_precision = name[1] == 'P';
    const std::string iou = !words.iou.empty() ? words.iou
                                               : fmt::format("{:0.2f}:{:0.2f}", params_.iou_thresholds.front(),
                                                             params_.iou_thresholds.back());
    metrics_.push_back(
        {std::move(name), value,
         fmt::format(" {:<18} {} @[ IoU={:<9} | area={:>6s} | maxDets={:>3d} catIds={:>3s}] = {:0.3f}",
                     is_precision ? "Average Precision" : "Average Recall", is_precision ? "(AP)" : "(AR)", iou,
                     words.area, params_.max_detections.back(), words.categories, value)});
  }

  const CocoParams& params_;
  CocoSums sums_;
  std::vector<size_t> all_;
  std::array<std::vector<size_t>, kFrequencies.size()> of_frequency_;
  std::vector<CocoMetric> metrics_;
};

}  // namespace

std::vector<std::string> keep_lvis_results(const GroundTruth& dataset, size_t limit, std::vector<CocoResult>& results) {
  const std::vector<uint32_t> places = places_of(dataset, results);
  const std::vector<char> best = among_best(results, places, dataset.images.size(), limit);
  const std::vector<std::vector<int64_t>> searched = searched_categories(dataset);
  std::vector<int64_t> listed;
  for (const Category& category : dataset.categories) listed.push_back(category.id);
  std::ranges::sort(listed);
  size_t kept = 0, unlisted = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const CocoResult& result = results[i];
    const double area = result.bbox[2] * result.bbox[3];
    unlisted += std::ranges::binary_search(listed, result.category_id) ? 0 : 1;
    if (best[i] != 0 && area > 0 && std::isfinite(area) &&
        std::ranges::binary_search(searched[places[i]], result.category_id))
      results[kept++] = result;
  }
  const size_t total = results.size();
  results.resize(kept);
  if (unlisted == 0) return {};
  return {fmt::format("{} of {} results are of categories that the annotation file does not list", unlisted, total)};
}

std::vector<CocoMetric> summarize_lvis(const GroundTruth& dataset, const CocoEvaluation& evaluation) {
  return LvisSummary(dataset, evaluation).write();
}

}  // namespace effdet::eval
