// An .npz file is a zip archive of .npy files, stored.
#include "dataset/evaluation_arrays.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/npy.h"
#include "checkpoint/zip_writer.h"
#include "eval/coco_ids.h"

namespace effdet::dataset {
namespace {

class NpzFile {
 public:
  explicit NpzFile(const std::filesystem::path& path) : file_(path), zip_(file_) {}

  template <typename T>
  void add(const std::string& name, const std::vector<size_t>& shape, std::span<const T> values) {
    zip_.add(name + ".npy", std::as_bytes(values), npy_header(dtype_of<T>(), Shape(shape.begin(), shape.end())));
  }

  void commit() {
    zip_.finish();
    file_.commit();
  }

 private:
  AtomicFile file_;
  checkpoint::ZipWriter zip_;
};

bool are_numbers(const std::vector<int64_t>& ids) {
  return std::all_of(ids.begin(), ids.end(), [](int64_t id) { return id >= eval::StringIds::kLowestNumber; });
}

void add_params(const eval::CocoParams& params, NpzFile& npz) {
  npz.add<double>("iouThrs", {params.iou_thresholds.size()}, params.iou_thresholds);
  npz.add<double>("recThrs", {params.recall_thresholds.size()}, params.recall_thresholds);
  std::vector<double> areas;
  for (const eval::AreaRange& range : params.area_ranges) areas.insert(areas.end(), {range.low, range.high});
  npz.add<double>("areaRng", {params.area_ranges.size(), 2}, areas);
  const std::vector<int64_t> limits(params.max_detections.begin(), params.max_detections.end());
  npz.add<int64_t>("maxDets", {limits.size()}, limits);
  const std::vector<int64_t> categories = params.use_categories ? params.category_ids : std::vector<int64_t>{-1};
  if (are_numbers(categories)) npz.add<int64_t>("catIds", {categories.size()}, categories);
  if (are_numbers(params.image_ids)) npz.add<int64_t>("imgIds", {params.image_ids.size()}, params.image_ids);
}

}  // namespace

void write_arrays(const std::filesystem::path& path, const eval::CocoEvaluation& evaluation, eval::Rules rules) {
  const eval::CocoArrays& arrays = evaluation.arrays;
  std::vector<size_t> curves = {arrays.thresholds, arrays.recalls, arrays.categories, arrays.areas};
  std::vector<size_t> ends = {arrays.thresholds, arrays.categories, arrays.areas};
  if (rules == eval::Rules::kCoco)
    for (auto* shape : {&curves, &ends}) shape->push_back(arrays.limits);
  NpzFile npz(path);
  npz.add<double>("precision", curves, arrays.precision);
  npz.add<double>("recall", ends, arrays.recall);
  npz.add<double>("scores", curves, arrays.scores);
  add_params(evaluation.params, npz);
  npz.commit();
}

}  // namespace effdet::dataset
