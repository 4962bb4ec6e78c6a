// Finds annotated images in a list: by the last part of the name, or else WebDataset's key, then by folders.
#include "dataset/image_match.h"

#include <algorithm>

#include "base/error.h"
#include "dataset/listed_image.h"
#include "dataset/name_list.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

/// Of images that are not annotated.
constexpr size_t kUnmatchedShown = 3;

std::string_view key_part(std::string_view name) { return last_part(name).substr(0, last_part(name).find('.')); }

std::string_view listed_name(const ListedImage& image) { return image.member.empty() ? image.file : image.member; }

/// Takes the last part off; without those that say nothing: "", ".".
std::string_view pop_part(std::string_view& path) {
  for (;;) {
    const std::string_view part = last_part(path);
    path.remove_suffix(std::min(path.size(), part.size() + 1));
    if ((!part.empty() && part != ".") || path.empty()) return part;
  }
}

size_t equal_folders(std::string_view a, std::string_view b) {
  size_t count = 0;
  pop_part(a);
  pop_part(b);
  while (!a.empty() && !b.empty() && pop_part(a) == pop_part(b)) ++count;
  return count;
}

/// Places in the list by a part of the name, in order.
using Places = std::unordered_map<std::string_view, std::vector<size_t>>;

std::span<const size_t> found(const Places& places, std::string_view part) {
  const auto entry = places.find(part);
  return entry == places.end() ? std::span<const size_t>() : entry->second;
}

}  // namespace

std::optional<MatchRank> match_rank(std::string_view file_name, const ListedImage& image) {
  const std::string_view listed = listed_name(image);
  const bool has_name = last_part(file_name) == last_part(listed);
  const bool has_key = !image.member.empty() && key_part(file_name) == key_part(listed);
  if (last_part(file_name).empty() || (!has_name && !has_key)) return std::nullopt;
  return MatchRank{has_name, equal_folders(file_name, listed)};
}

const ListedImage* best_match(std::span<const ListedImage> list, std::string_view file_name) {
  const ListedImage* best = nullptr;
  std::optional<MatchRank> best_rank;
  for (const ListedImage& image : list) {
    const std::optional<MatchRank> rank = match_rank(file_name, image);
    if (!rank || (best_rank && *rank <= *best_rank)) continue;
    best = &image;
    best_rank = rank;
  }
  return best;
}

ImageMatch::ImageMatch(const eval::GroundTruth& truth, std::span<const ListedImage> list,
                       const std::string& annotations)
    : list_(list), annotations_(annotations) {
  Places names, keys;
  for (size_t i = 0; i < list.size(); ++i) {
    names[last_part(listed_name(list[i]))].push_back(i);
    if (!list[i].member.empty()) keys[key_part(list[i].member)].push_back(i);
  }
  for (const eval::ImageRecord& image : truth.images) {
    const auto with_name = found(names, last_part(image.file_name));
    take(truth, image, with_name.empty() ? found(keys, key_part(image.file_name)) : with_name);
  }
}

void ImageMatch::take(const eval::GroundTruth& truth, const eval::ImageRecord& image,
                      std::span<const size_t> candidates) {
  std::optional<MatchRank> best;
  size_t place = 0;
  bool is_shared = false;
  for (const size_t candidate : candidates) {
    const std::optional<MatchRank> rank = match_rank(image.file_name, list_[candidate]);
    if (!rank || (best && *rank < *best)) continue;
    is_shared = best && *rank == *best;
    if (is_shared) continue;
    best = rank;
    place = candidate;
  }
  if (!best) return;
  if (is_shared) {
    const auto other = std::ranges::find_if(candidates, [&](size_t candidate) {
      return candidate != place && match_rank(image.file_name, list_[candidate]) == best;
    });
    bad_input("{}: image with id {}: '{}' may be {} or {}; list one of them", annotations_,
              truth.image_ids.json_of(image.id), eval::printable(image.file_name), list_[place].name(),
              list_[*other].name());
  }
  const auto [claim, is_new] = claims_.try_emplace(place, Claim{&image, *best});
  if (!is_new && claim->second.image->file_name != image.file_name) {
    if (claim->second.rank == *best)
      bad_input("{}: {} may be '{}' or '{}'; list the images with the folders that the annotations tell", annotations_,
                list_[place].name(), eval::printable(claim->second.image->file_name), eval::printable(image.file_name));
    if (*best < claim->second.rank) return;  // it is another one's, whose folders agree
    of_image_.erase(claim->second.image->id);
    claim->second = {&image, *best};
  }
  of_image_[image.id] = place;
}

const ListedImage* ImageMatch::find(const eval::ImageRecord& image) const {
  const auto place = of_image_.find(image.id);
  return place == of_image_.end() ? nullptr : &list_[place->second];
}

std::vector<std::string> ImageMatch::notes() const {
  const size_t others = list_.size() - claims_.size();
  if (others == 0) return {};
  std::vector<std::string> names;
  for (size_t i = 0; i < list_.size() && names.size() < kUnmatchedShown; ++i)
    if (!claims_.contains(i)) names.push_back(list_[i].name());
  names.resize(others);  // those that are not shown are counted
  return {fmt::format("{}: {} of {} listed images are not annotated, and left out ({})", annotations_, others,
                      list_.size(), list_of(names, kUnmatchedShown))};
}

}  // namespace effdet::dataset
