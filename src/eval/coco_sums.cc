// Sums as numpy's pairwise summation makes them.
#include "eval/coco_sums.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace effdet::eval {
namespace {

/// numpy's sum of a float64 array: blocks of 128 with eight running sums, halves above that.
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

/// The mean of the values, or -1 for none.
double mean_of(const std::vector<double>& values) {
  return values.empty() ? -1 : pairwise_sum(values) / static_cast<double>(values.size());
}

}  // namespace

template <typename Function>
void CocoSums::for_each_threshold(double iou, Function function) const {
  for (size_t t = 0; t < arrays_.thresholds; ++t)
    if (iou < 0 || params_.iou_thresholds[t] == iou) function(t);
}

double CocoSums::average_precision(const Selection& selection) const {
  const std::vector<size_t> categories = categories_with_objects(selection);
  std::vector<double> values;
  for_each_threshold(selection.iou, [&](size_t t) {
    const size_t begin = values.size();
    values.resize(begin + arrays_.recalls * categories.size());
    copy_precision(t, selection.area, categories, values.data() + begin);
  });
  return mean_of(values);
}

double CocoSums::average_recall(const Selection& selection, size_t limit) const {
  std::vector<double> set;
  for_each_threshold(selection.iou, [&](size_t t) {
    for (const size_t k : selection.categories) {
      const double value = arrays_.recall[arrays_.recall_index(t, k, selection.area, limit)];
      if (value > -1) set.push_back(value);
    }
  });
  return mean_of(set);
}

/// Those whose precision is set, which it is at all thresholds or at none.
std::vector<size_t> CocoSums::categories_with_objects(const Selection& selection) const {
  std::vector<size_t> categories;
  for (const size_t k : selection.categories)
    if (arrays_.precision[precision_index(0, 0, k, selection.area)] > -1) categories.push_back(k);
  return categories;
}

/// values: [R, categories]. A line of the cache is read whole before the next one.
void CocoSums::copy_precision(size_t t, size_t area, std::span<const size_t> categories, double* values) const {
  constexpr size_t kBlock = 8;
  for (size_t first = 0; first < arrays_.recalls; first += kBlock) {
    const size_t end = std::min(first + kBlock, arrays_.recalls);
    for (size_t i = 0; i < categories.size(); ++i)
      for (size_t r = first; r < end; ++r)
        values[r * categories.size() + i] = arrays_.precision[precision_index(t, r, categories[i], area)];
  }
}

std::vector<size_t> all_categories(size_t count) {
  std::vector<size_t> categories(count);
  std::iota(categories.begin(), categories.end(), size_t{0});
  return categories;
}

}  // namespace effdet::eval
