// Look-ups in the ground truth of a data set.
#include "eval/ground_truth.h"

#include <algorithm>

namespace effdet::eval {

const ImageRecord* GroundTruth::find_image(int64_t id) const {
  const auto found = image_index.find(id);
  return found == image_index.end() ? nullptr : &images[found->second];
}

bool GroundTruth::is_complete(int64_t image_id, int64_t category_id) const {
  if (rules != Rules::kLvis) return true;
  const std::vector<int64_t>& incomplete = find_image(image_id)->incomplete_categories;
  return std::ranges::find(incomplete, category_id) == incomplete.end();
}

std::vector<int64_t> GroundTruth::sorted_image_ids() const {
  std::vector<int64_t> ids;
  ids.reserve(images.size());
  for (const auto& image : images) ids.push_back(image.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace effdet::eval
