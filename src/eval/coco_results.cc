// Reads and writes COCO result files.
#include "eval/coco_results.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "eval/coco_json.h"
#include "eval/json_reader.h"

namespace effdet::eval {
namespace {

/// Reads the results of one data set.
class ResultReader {
 public:
  ResultReader(std::string_view text, const std::string& name, const GroundTruth& dataset, BadRecords bad_records)
      : reader_(text, name), name_(name), dataset_(dataset), strict_(bad_records == BadRecords::kRefuse) {
    for (const Category& category : dataset.categories) categories_.insert(category.id);
  }

  CocoResultFile read() {
    if (reader_.peek() == '{') reader_.error("expected a list of results, found an object, as annotation files are");
    size_t total = 0;
    reader_.read_array([&](size_t index) {
      read_result(index);
      ++total;
    });
    reader_.finish();
    file_.notes = left_out_.lines(name_, "results", total, "");
    return std::move(file_);
  }

 private:
  void read_result(size_t index) {
    enum Member : unsigned { kImageId, kCategoryId, kBbox, kScore };
    CocoResult result;
    const char* problem = nullptr;
    MemberSet members;
    reader_.read_object([&](std::string_view key) {
      if (key == "image_id") {
        members.add(reader_, kImageId, key);
        result.image_id = read_image_id();
      } else if (key == "category_id") {
        members.add(reader_, kCategoryId, key);
        result.category_id = read_known_id(reader_, dataset_.category_ids);
      } else if (key == "bbox") {
        members.add(reader_, kBbox, key);
        const BoxOfRecord box = read_box(reader_);
        result.bbox = box.values;
        if (box.problem != nullptr) problem = bad(box.problem);
      } else if (key == "score") {
        members.add(reader_, kScore, key);
        result.score = reader_.read_any_number();
        if (std::isnan(result.score) && problem == nullptr) problem = bad("score that is no number");
      } else {
        reader_.skip();
      }
    });
    members.require(reader_, kImageId, "image_id");
    members.require(reader_, kCategoryId, "category_id");
    members.require(reader_, kBbox, "bbox");
    members.require(reader_, kScore, "score");
    if (problem == nullptr && !categories_.contains(result.category_id))
      problem = "of categories that the annotation file does not list";
    if (problem != nullptr) return left_out_.add(problem, index);
    file_.results.push_back(result);
  }

  int64_t read_image_id() {
    const bool is_string = reader_.peek() == '"';
    const int64_t id = read_known_id(reader_, dataset_.image_ids);
    if (id == last_image_) return id;  // results mostly come image by image
    if (dataset_.find_image(id) != nullptr) {
      last_image_ = id;
      return id;
    }
    if (is_string) reader_.error("the annotation file has no image of this name; ids that are numbers have no quotes");
    reader_.error("the annotation file has no image {}", id);
  }

  const char* bad(const char* problem) {
    if (strict_) reader_.error("{}", problem);
    return problem;
  }

  JsonReader reader_;
  const std::string& name_;
  const GroundTruth& dataset_;
  bool strict_;
  std::unordered_set<int64_t> categories_;
  std::optional<int64_t> last_image_;
  CocoResultFile file_;
  LeftOut left_out_;
};

bool is_finite(const CocoResult& result) {
  return std::isfinite(result.score) &&
         std::all_of(result.bbox.begin(), result.bbox.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

void append_results(int64_t image_id, std::span<const Detection> detections, std::vector<CocoResult>& results) {
  for (const auto& found : detections) {
    if (found.score < kMinResultScore) break;
    const float width = found.x2 - found.x1, height = found.y2 - found.y1;
    results.push_back({image_id, {found.x1, found.y1, width, height}, found.score, found.category});
  }
}

void write_coco_results(const std::filesystem::path& path, std::span<const CocoResult> results,
                        const GroundTruth& dataset) {
  AtomicFile file(path);
  file.write("[");
  fmt::memory_buffer line;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    if (!is_finite(result)) bad_input("{}: result {} has a number that is not finite", path.string(), i);
    line.clear();
    fmt::format_to(std::back_inserter(line),
                   "{}{{\"image_id\": {}, \"bbox\": [{}, {}, {}, {}], \"score\": {}, \"category_id\": {}}}",
                   i == 0 ? "\n" : ",\n", dataset.image_ids.json_of(result.image_id), result.bbox[0], result.bbox[1],
                   result.bbox[2], result.bbox[3], result.score, dataset.category_ids.json_of(result.category_id));
    file.write(std::string_view(line.data(), line.size()));
  }
  file.write(results.empty() ? "]\n" : "\n]\n");
  file.commit();
}

CocoResultFile parse_coco_results(std::string_view text, const std::string& name, const GroundTruth& dataset,
                                  BadRecords bad_records) {
  return ResultReader(text, name, dataset, bad_records).read();
}

CocoResultFile read_coco_results(const std::filesystem::path& path, const GroundTruth& dataset,
                                 BadRecords bad_records) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_coco_results({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.path(), dataset,
                            bad_records);
}

}  // namespace effdet::eval
