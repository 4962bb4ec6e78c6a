// Counting sorts by category and by image.
#include "eval/coco_groups.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace effdet::eval {
namespace {

constexpr uint32_t kOutside = std::numeric_limits<uint32_t>::max();

/// The places of ids in a sorted list of distinct ones.
class IdPlaces {
 public:
  explicit IdPlaces(std::span<const int64_t> sorted) : sorted_(sorted) {
    if (sorted.empty()) return;
    lowest_ = static_cast<uint64_t>(sorted.front());
    const uint64_t span = static_cast<uint64_t>(sorted.back()) - lowest_;
    if (span >= kTableBase + kTablePerId * sorted.size()) return;
    table_.assign(span + 1, kOutside);
    for (size_t i = 0; i < sorted.size(); ++i)
      table_[static_cast<uint64_t>(sorted[i]) - lowest_] = static_cast<uint32_t>(i);
  }

  /// kOutside where the id is not there.
  uint32_t of(int64_t id) const {
    if (!table_.empty()) {
      const uint64_t place = static_cast<uint64_t>(id) - lowest_;
      return place < table_.size() ? table_[place] : kOutside;
    }
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), id);
    return found == sorted_.end() || *found != id ? kOutside : static_cast<uint32_t>(found - sorted_.begin());
  }

 private:
  /// A table is small beside what is evaluated; ids that are further apart are searched for.
  static constexpr uint64_t kTableBase = 1U << 20, kTablePerId = 16;

  std::span<const int64_t> sorted_;
  uint64_t lowest_ = 0;
  std::vector<uint32_t> table_;
};

/// An item by the places of its category and image in the parameters.
struct Located {
  uint32_t index, category, image;
};

template <typename Item>
std::vector<Located> locate(std::span<const Item> items, const IdPlaces& categories, const IdPlaces& images) {
  if (items.size() >= kOutside)
    fail(ErrorCode::kUnsupported, "evaluation: {} records, at most {} are supported", items.size(), kOutside - 1);
  std::vector<Located> located;
  located.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    const uint32_t category = categories.of(items[i].category_id), image = images.of(items[i].image_id);
    if (category != kOutside && image != kOutside) located.push_back({static_cast<uint32_t>(i), category, image});
  }
  return located;
}

/// A stable counting sort.
void sort_by(std::vector<Located>& items, uint32_t Located::*key, size_t num_keys) {
  if (std::is_sorted(items.begin(), items.end(), [key](const Located& a, const Located& b) { return a.*key < b.*key; }))
    return;
  std::vector<size_t> begins(num_keys + 1);
  for (const Located& item : items) ++begins[item.*key + 1];
  for (size_t k = 1; k < begins.size(); ++k) begins[k] += begins[k - 1];
  std::vector<Located> sorted(items.size());
  for (const Located& item : items) sorted[begins[item.*key]++] = item;
  items = std::move(sorted);
}

std::vector<Located> in_order(std::vector<Located> items, const CocoParams& params) {
  sort_by(items, &Located::category, params.category_ids.size());
  sort_by(items, &Located::image, params.image_ids.size());
  if (!params.use_categories)
    for (Located& item : items) item.category = 0;
  return items;
}

std::vector<uint32_t> indices(const std::vector<Located>& items) {
  std::vector<uint32_t> list;
  list.reserve(items.size());
  for (const Located& item : items) list.push_back(item.index);
  return list;
}

/// Image and category.
using PairKey = std::pair<uint32_t, uint32_t>;
PairKey key_at(const std::vector<Located>& items, size_t i) {
  return i < items.size() ? PairKey(items[i].image, items[i].category) : PairKey(kOutside, kOutside);
}

std::vector<CocoPair> pairs_of(const std::vector<Located>& objects, const std::vector<Located>& detections) {
  std::vector<CocoPair> pairs;
  size_t o = 0, d = 0;
  while (o < objects.size() || d < detections.size()) {
    const PairKey key = std::min(key_at(objects, o), key_at(detections, d));
    pairs.push_back({static_cast<uint32_t>(o), static_cast<uint32_t>(d), key.second, key.first});
    while (key_at(objects, o) == key) ++o;
    while (key_at(detections, d) == key) ++d;
  }
  pairs.push_back({static_cast<uint32_t>(o), static_cast<uint32_t>(d)});
  return pairs;
}

/// Sets the places of the pairs. Returns the first one of each category, and one more.
std::vector<uint32_t> place_pairs(std::vector<CocoPair>& pairs, size_t num_categories) {
  std::vector<uint32_t> begins(num_categories + 1);
  for (size_t i = 0; i + 1 < pairs.size(); ++i)
    begins[pairs[i].category + 1] += pairs[i + 1].detections - pairs[i].detections;
  for (size_t k = 1; k < begins.size(); ++k) begins[k] += begins[k - 1];
  std::vector<uint32_t> next = begins;
  for (size_t i = 0; i + 1 < pairs.size(); ++i) {
    pairs[i].place = next[pairs[i].category];
    next[pairs[i].category] += pairs[i + 1].detections - pairs[i].detections;
  }
  return begins;
}

}  // namespace

CocoGroups group_pairs(const CocoParams& params, const GroundTruth& dataset, std::span<const CocoResult> results) {
  const IdPlaces categories(params.category_ids), images(params.image_ids);
  const auto objects = in_order(locate<Annotation>(dataset.annotations, categories, images), params);
  const auto detections = in_order(locate<CocoResult>(results, categories, images), params);
  CocoGroups groups;
  groups.objects = indices(objects);
  groups.detections = indices(detections);
  groups.pairs = pairs_of(objects, detections);
  groups.category_places = place_pairs(groups.pairs, params.use_categories ? params.category_ids.size() : 1);
  return groups;
}

}  // namespace effdet::eval
