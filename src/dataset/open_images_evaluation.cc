// Reads what the rules of Open Images need: image-level labels, and the hierarchy of classes.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/formats/open_images.h"
#include "dataset/formats/records.h"
#include "effdet/open_images.h"
#include "eval/coco_json.h"
#include "eval/coco_results.h"
#include "eval/open_images.h"

namespace effdet::dataset {
namespace {

using Labels = std::map<std::string, int64_t>;
using std::filesystem::path;

/// The categories above and below each one.
struct Hierarchy {
  eval::Ancestors above, below;
};

class HierarchyReader {
 public:
  HierarchyReader(const path& file, const Labels& labels) : file_(file), labels_(labels) {}

  Hierarchy read() {
    const MappedFile file(file_);
    const nlohmann::json root = nlohmann::json::parse(file.text(), nullptr, /*allow_exceptions=*/false);
    if (!root.is_object()) bad_input("{}: no JSON object with Subcategory", file_.string());
    read_children(root);  // the root itself stands for everything
    Hierarchy hierarchy;
    for (const auto& [child, parent] : pairs_) {
      hierarchy.above[child].push_back(parent);
      hierarchy.below[parent].push_back(child);
    }
    return hierarchy;
  }

 private:
  static constexpr size_t kMaxDepth = 64;

  void read_children(const nlohmann::json& node) {
    if (!node.contains("Subcategory")) return;
    if (!node["Subcategory"].is_array()) bad_input("{}: a Subcategory is no list", file_.string());
    if (path_.size() >= kMaxDepth) bad_input("{}: more than {} levels", file_.string(), kMaxDepth);
    for (const nlohmann::json& child : node["Subcategory"]) {
      if (!child.is_object() || !child.contains("LabelName") || !child["LabelName"].is_string())
        bad_input("{}: a Subcategory without LabelName", file_.string());
      const auto label = labels_.find(child["LabelName"].get<std::string>());
      const int64_t id = label == labels_.end() ? kNoCategory : label->second;
      for (const int64_t parent : path_)
        if (id != kNoCategory && parent != kNoCategory && id != parent) pairs_.emplace(id, parent);
      path_.push_back(id);
      read_children(child);
      path_.pop_back();
    }
  }

  static constexpr int64_t kNoCategory = 0;  ///< of a label that is no class: ids begin at 1

  const path& file_;
  const Labels& labels_;
  std::vector<int64_t> path_;
  std::set<std::pair<int64_t, int64_t>> pairs_;  ///< child and what is above it
};

/// Adds the categories that people checked an image for, with those above the ones that are there, and those below the
/// ones that are not.
void add_image_labels(const path& file, const Labels& labels, const Hierarchy& hierarchy, eval::GroundTruth& truth) {
  std::unordered_map<std::string, size_t> images;  // by the name of the file, which is the id
  for (size_t i = 0; i < truth.images.size(); ++i) images.emplace(path(truth.images[i].file_name).stem().string(), i);
  CsvHeader header;
  for_each_line(file, [&](std::string_view line, const std::string& where) {
    if (header.empty()) {
      header = CsvHeader(line, where);
      return header.require({"ImageID", "LabelName", "Confidence"}, where, "image-level labels");
    }
    const std::vector<std::string> columns = csv_columns(line);
    header.check_line(columns, where);
    const auto value = [&](const char* name) { return columns[header.find(name).value()]; };
    const double confidence = parse_number(value("Confidence"), where, "Confidence");
    if (confidence != 0 && confidence != 1)
      bad_input("{}: Confidence {} is neither 0 nor 1, as labels have that people checked", where, confidence);
    const auto image = images.find(value("ImageID"));
    const auto label = labels.find(value("LabelName"));
    if (image == images.end() || label == labels.end()) return;  // there are more images and labels than boxes
    std::vector<int64_t>& checked = truth.images[image->second].absent_categories;
    checked.push_back(label->second);
    const eval::Ancestors& others = confidence == 1 ? hierarchy.above : hierarchy.below;
    if (const auto found = others.find(label->second); found != others.end())
      checked.insert(checked.end(), found->second.begin(), found->second.end());
  });
}

path given_or(const path& given, path found, std::string_view missing, std::vector<std::string>& notes) {
  if (!given.empty()) return given;
  if (found.empty()) notes.emplace_back(missing);
  return found;
}

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

OpenImagesReport evaluate_open_images(const OpenImagesOptions& options, int threads) {
  DataSource data = options.data;
  data.format = "openimages";
  const dataset::Dataset source(data);
  eval::GroundTruth truth = source.truth();
  const dataset::Labels labels = dataset::open_images_labels(data);
  OpenImagesReport report{.images = truth.images.size(), .notes = source.notes()};
  dataset::Hierarchy hierarchy;
  const auto tree =
      dataset::given_or(options.hierarchy, dataset::open_images_hierarchy(data),
                        "no hierarchy of classes is there: boxes count for their own class alone", report.notes);
  if (!tree.empty()) hierarchy = dataset::HierarchyReader(tree, labels).read();
  const auto checked = dataset::given_or(options.image_labels, dataset::open_images_image_labels(data),
                                         "no image-level labels are there: in an image only classes count that it has "
                                         "boxes of",
                                         report.notes);
  if (!checked.empty()) dataset::add_image_labels(checked, labels, hierarchy, truth);
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  const eval::CocoResultFile found =
      eval::read_coco_results(options.results, truth, eval::BadRecords::kLeaveOut, &pool);
  report.notes.insert(report.notes.end(), found.notes.begin(), found.notes.end());
  const eval::OpenImagesEvaluation evaluation =
      eval::evaluate_open_images(truth, hierarchy.above, found.results, &pool);
  report.mean_ap = evaluation.mean_ap;
  report.detections = evaluation.num_detections;
  for (size_t k = 0; k < evaluation.categories.size(); ++k) {
    const eval::OpenImagesCategory& category = evaluation.categories[k];
    report.categories.push_back({truth.categories[k].name, category.ap, category.objects, category.detections});
  }
  return report;
}

}  // namespace effdet
