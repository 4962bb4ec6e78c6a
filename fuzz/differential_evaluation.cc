// The evaluator beside a naive one.
#include <algorithm>

#include "eval/coco_eval.h"
#include "eval/naive_evaluator_test_util.h"
#include "numbers.h"
#include "targets.h"

namespace effdet::fuzz {

/// The input becomes boxes with many ties.
void evaluation(Bytes input) {
  Numbers numbers(input);
  eval::GroundTruth dataset;
  for (int64_t id = 1; id <= 3; ++id)
    dataset.images.push_back({.id = id, .width = 64, .height = 64}),
        dataset.image_index[id] = static_cast<size_t>(id - 1);
  for (int64_t id = 1; id <= 2; ++id) dataset.categories.push_back({.id = id});
  std::vector<eval::CocoResult> results;
  while (numbers.more()) {
    const unsigned kind = numbers.byte();
    const int64_t image = 1 + kind % 3, category = 1 + kind / 4 % 2;
    std::array<double, 4> box{};
    for (double& side : box) side = numbers.byte() % 64 / 2.0;
    if (kind % 2 == 0) {
      dataset.annotations.push_back({.id = static_cast<int64_t>(dataset.annotations.size()),
                                     .image_id = image,
                                     .category_id = category,
                                     .bbox = box,
                                     .area = box[2] * box[3],
                                     .is_crowd = kind / 16 % 8 == 0});
    } else {
      results.push_back({image, box, numbers.byte() % 16 / 16.0, category});
    }
    if (dataset.annotations.size() + results.size() >= 60) break;
  }
  eval::CocoParams params = eval::CocoParams::all_of(dataset);
  params.max_detections = {1, 5};
  params.settle();
  const eval::CocoArrays got = eval::evaluate_coco(dataset, results, params, eval::CocoOutput::kAllArrays).arrays;
  const eval::CocoArrays want = eval::NaiveEvaluator(dataset, results, params).run();
  for (const auto array : {&eval::CocoArrays::precision, &eval::CocoArrays::recall, &eval::CocoArrays::scores})
    if (const auto [ours, theirs] = std::ranges::mismatch(got.*array, want.*array); ours != (got.*array).end())
      finding(fmt::format("number {} of an array is {}: the naive evaluator has {}", ours - (got.*array).begin(), *ours,
                          *theirs));
}

}  // namespace effdet::fuzz
