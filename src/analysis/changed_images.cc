// Goes through the images of both files side by side, and ranks those that changed.
#include "analysis/changed_images.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "analysis/label_errors.h"
#include "analysis/score_curves.h"
#include "analysis/worst_images.h"

namespace effdet::analysis {
namespace {

constexpr double kThresholdOfNothing = 0.5;

/// An image's counts and contents in one file; empty where the file has nothing in it.
struct OneSide {
  ImageContent content;
  ImageCounts counts;

  void read(const MatchedFile& file, size_t image) {
    file.matches->read(image, content);
    counts = count_errors(content, file.score_threshold);
  }
  void clear() {
    content = {};
    counts = {};
  }
  ChangedImage::Counts to_public() const {
    return {counts.true_positives, counts.false_positives, counts.false_negatives};
  }
};

/// Objects that are found at the threshold in one file and not in the other.
size_t found_alone(const MatchedFile& file, const OneSide& side, const MatchedFile& other, const OneSide& other_side) {
  size_t count = 0;
  const auto &objects = side.content.objects, &others = other_side.content.objects;
  for (size_t i = 0; i < objects.size(); ++i) {
    const bool is_found = objects[i].counts && objects[i].is_found_at(file.score_threshold);
    count += is_found && !(i < others.size() && others[i].is_found_at(other.score_threshold)) ? 1 : 0;
  }
  return count;
}

size_t change(const ChangedImage& image) {
  const size_t a = image.counts.errors(), b = image.other.errors();
  return std::max(a, b) - std::min(a, b);
}

struct Candidate {
  int64_t id;
  ChangedImage image;
};

}  // namespace

void list_changed_images(const MatchedFile& file, const MatchedFile& other, size_t most,
                         EvaluationComparison& comparison) {
  std::vector<Candidate> changed;
  OneSide here, there;
  const size_t count = file.matches->num_images(), other_count = other.matches->num_images();
  for (size_t i = 0, j = 0; i < count || j < other_count;) {
    // Images with objects are in both; those with detections alone may be in one.
    const std::optional<int64_t> id = i < count ? std::optional(file.matches->image_id(i)) : std::nullopt;
    const std::optional<int64_t> other_id = j < other_count ? std::optional(other.matches->image_id(j)) : std::nullopt;
    const bool is_here = id && (!other_id || *id <= *other_id), is_there = other_id && (!id || *other_id <= *id);
    here.clear();
    there.clear();
    if (is_here) here.read(file, i++);
    if (is_there) there.read(other, j++);
    ChangedImage image{.image = {},
                       .counts = here.to_public(),
                       .other = there.to_public(),
                       .found = found_alone(file, here, other, there),
                       .lost = found_alone(other, there, file, here)};
    if (image.found + image.lost > 0 || change(image) > 0) changed.push_back({is_here ? *id : *other_id, image});
  }
  std::ranges::stable_sort(changed, [](const Candidate& a, const Candidate& b) {
    return std::pair(change(a.image), a.image.found + a.image.lost) >
           std::pair(change(b.image), b.image.found + b.image.lost);
  });
  comparison.num_changed_images = changed.size();
  changed.resize(std::min(changed.size(), most));
  for (Candidate& candidate : changed) {
    candidate.image.image = analysed_image(file.matches->dataset(), candidate.id);
    comparison.changed_images.push_back(std::move(candidate.image));
  }
}

double best_threshold(const Matches& matches) {
  size_t num_objects = 0;
  for (size_t k = 0; k < matches.num_categories(); ++k) num_objects += matches.num_objects(k);
  const std::optional<OperatingPoint> best = best_point(ranked_detections(matches, kAllCategories), num_objects);
  return best ? best->threshold : kThresholdOfNothing;
}

}  // namespace effdet::analysis
