// Which images of a list are those of a data set, by their names.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "effdet/listed_image.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// How well a listed image fits a file_name: a file of that name fits better than one with the same key, and then the
/// more folders are the same, from the last one on.
struct MatchRank {
  bool has_name = false;  ///< not only the key
  size_t folders = 0;

  auto operator<=>(const MatchRank&) const = default;
};
/// Nothing where it does not fit.
std::optional<MatchRank> match_rank(std::string_view file_name, const ListedImage& image);

/// The image of the list that fits a name best, the first of several; null where none does. Looks at all of them.
const ListedImage* best_match(std::span<const ListedImage> list, std::string_view file_name);

/// Matches all images of annotations at once.
class ImageMatch {
 public:
  /// The list must outlive it; annotations: for messages. Throws Error(kBadInput) where two images of the list fit one
  /// annotated image equally, or one image fits two of different names equally: nobody knows which one was meant.
  ImageMatch(const eval::GroundTruth& truth, std::span<const ListedImage> list, const std::string& annotations);

  /// Null where it is not listed.
  const ListedImage* find(const eval::ImageRecord& image) const;
  /// A line on the images of the list that are not annotated; nothing where there are none.
  std::vector<std::string> notes() const;

 private:
  void take(const eval::GroundTruth& truth, const eval::ImageRecord& image, std::span<const size_t> candidates);

  struct Claim {
    const eval::ImageRecord* image;
    MatchRank rank;
  };

  std::span<const ListedImage> list_;
  const std::string& annotations_;
  std::unordered_map<size_t, Claim> claims_;      ///< by place in the list
  std::unordered_map<int64_t, size_t> of_image_;  ///< places by id
};

}  // namespace effdet::dataset
