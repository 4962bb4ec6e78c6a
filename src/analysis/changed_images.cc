// Goes through the images of both files side by side, and ranks those that changed.
#include "analysis/changed_images.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "analysis/label_errors.h"
#include "analysis/score_curves.h"
#include "analysis/worst_images.h"
#include "eval/coco_match.h"

namespace effdet::analysis {
namespace {

constexpr double kThresholdOfNothing = 0.5;

/// An image in one file; nothing where the file has nothing in it.
using Place = std::optional<size_t>;

/// Its counts and contents.
struct OneSide {
  ImageContent content;
  ImageCounts counts;

  void read(const MatchedFile& file, Place image) {
    content.objects.clear();
    content.detections.clear();
    if (image) file.matches->read(*image, content);
    counts = count_errors(content, file.score_threshold);
  }
  ChangedImage::Counts to_public() const {
    return {counts.true_positives, counts.false_positives, counts.false_negatives};
  }
};

/// Where an image is in both files.
struct Places {
  int64_t id = 0;
  Place here = {}, there = {};
};

struct Candidate {
  Places places;
  ChangedImage image;
};

size_t change(const ChangedImage& image) {
  const size_t a = image.counts.errors(), b = image.other.errors();
  return std::max(a, b) - std::min(a, b);
}

/// Reads images of both files side by side.
class ImagePair {
 public:
  ImagePair(const MatchedFile& file, const MatchedFile& other) : file_(file), other_(other) {}

  /// Reads an image, and returns its counts.
  ChangedImage read(const Places& places) {
    here_.read(file_, places.here);
    there_.read(other_, places.there);
    ChangedImage image;
    image.counts = here_.to_public();
    image.other = there_.to_public();
    for_each_object([&](const ImageContent::Object&, bool is_found, bool is_found_there) {
      image.found += is_found && !is_found_there ? 1 : 0;
      image.lost += is_found_there && !is_found ? 1 : 0;
    });
    return image;
  }

  /// Adds what only one of the files has of the image that was read.
  void add_boxes(double iou, size_t most, ChangedImage& image) const {
    using Kind = ChangedImage::Box::Kind;
    const auto add = [&](const ChangedImage::Box& box) {
      if (image.boxes.size() < most) {
        image.boxes.push_back(box);
      } else {
        ++image.boxes_left_out;
      }
    };
    for_each_object([&](const ImageContent::Object& object, bool is_found, bool is_found_there) {
      if (is_found != is_found_there)
        add({is_found ? Kind::kFound : Kind::kLost, object.annotation->bbox, object.category});
    });
    const auto add_false = [&](Kind kind, const OneSide& side, double threshold, const OneSide& others,
                               double others_threshold) {
      for (const auto& detection : side.content.detections) {
        if (!is_false(detection, threshold)) continue;
        const bool is_in_both = std::ranges::any_of(others.content.detections, [&](const auto& other) {
          return other.category == detection.category && is_false(other, others_threshold) &&
                 eval::box_iou(detection.result->bbox, other.result->bbox, false) >= iou;
        });
        if (!is_in_both) add({kind, detection.result->bbox, detection.category, detection.result->score});
      }
    };
    add_false(Kind::kFalsePositive, here_, file_.score_threshold, there_, other_.score_threshold);
    add_false(Kind::kOtherFalsePositive, there_, other_.score_threshold, here_, file_.score_threshold);
  }

 private:
  static bool is_false(const ImageContent::Detection& detection, double threshold) {
    return detection.verdict == Verdict::kFalsePositive && detection.result->score >= threshold;
  }

  /// Calls action(object, whether it is found here, and there) for those that count: an image with objects is in both.
  template <typename Action>
  void for_each_object(Action action) const {
    const auto &objects = here_.content.objects, &others = there_.content.objects;
    for (size_t i = 0; i < std::min(objects.size(), others.size()); ++i)
      if (objects[i].counts)
        action(objects[i], objects[i].is_found_at(file_.score_threshold),
               others[i].is_found_at(other_.score_threshold));
  }

  const MatchedFile &file_, &other_;
  OneSide here_, there_;
};

/// The images of both files, in order of their ids: those without objects may be in one alone.
std::vector<Places> all_images(const Matches& matches, const Matches& others) {
  std::vector<Places> images;
  for (size_t i = 0, j = 0; i < matches.num_images() || j < others.num_images();) {
    const std::optional<int64_t> id = i < matches.num_images() ? std::optional(matches.image_id(i)) : std::nullopt;
    const std::optional<int64_t> other = j < others.num_images() ? std::optional(others.image_id(j)) : std::nullopt;
    Places& image = images.emplace_back();
    image.id = !other || (id && *id <= *other) ? *id : *other;
    if (id == image.id) image.here = i++;
    if (other == image.id) image.there = j++;
  }
  return images;
}

}  // namespace

void list_changed_images(const MatchedFile& file, const MatchedFile& other, const ComparisonOptions& options,
                         EvaluationComparison& comparison) {
  ImagePair pair(file, other);
  std::vector<Candidate> changed;
  for (const Places& places : all_images(*file.matches, *other.matches)) {
    ChangedImage image = pair.read(places);
    if (image.found + image.lost > 0 || change(image) > 0) changed.push_back({places, std::move(image)});
  }
  std::ranges::stable_sort(changed, [](const Candidate& a, const Candidate& b) {
    return std::pair(change(a.image), a.image.found + a.image.lost) >
           std::pair(change(b.image), b.image.found + b.image.lost);
  });
  comparison.num_changed_images = changed.size();
  changed.resize(std::min(changed.size(), options.max_images));
  for (const Candidate& candidate : changed) {
    ChangedImage image = pair.read(candidate.places);
    image.image = analysed_image(file.matches->dataset(), candidate.places.id);
    pair.add_boxes(comparison.iou_threshold, options.max_boxes, image);
    comparison.changed_images.push_back(std::move(image));
  }
}

double best_threshold(const Matches& matches) {
  size_t num_objects = 0;
  for (size_t k = 0; k < matches.num_categories(); ++k) num_objects += matches.num_objects(k);
  const std::optional<OperatingPoint> best = best_point(ranked_detections(matches, kAllCategories), num_objects);
  return best ? best->threshold : kThresholdOfNothing;
}

}  // namespace effdet::analysis
