// Reads and writes COCO result files.
#include "eval/coco_results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "eval/array_parts.h"
#include "eval/coco_json.h"
#include "eval/json_reader.h"

namespace effdet::eval {
namespace {

/// What results may have beside a box or instead of one.
struct ResultShape {
  const char* member;
  const char* plural;   ///< of what it is
  const char* missing;  ///< what to say of a result that has it and no box
};
constexpr std::array<ResultShape, 2> kResultShapes = {
    {{"segmentation", "masks",
      "a mask without a \"bbox\": boxes are what is evaluated here; give each result the box around its mask, as "
      "pycocotools.mask.toBbox makes it, or evaluate masks with pycocotools"},
     {"keypoints", "keypoints",
      "keypoints without a \"bbox\": boxes are what is evaluated here; give each result the detection's box, or "
      "evaluate "
      "keypoints with pycocotools"}}};

/// Reads results of one data set, all of them or a part.
class ResultReader {
 public:
  ResultReader(JsonReader reader, const GroundTruth& dataset, const std::unordered_set<int64_t>& categories,
               const CategoryIdMap* map, BadRecords bad_records)
      : reader_(std::move(reader)),
        dataset_(dataset),
        categories_(categories),
        map_(map),
        strict_(bad_records == BadRecords::kRefuse) {}

  /// Of those read, whatever became of them.
  size_t total() const { return total_; }
  size_t unlisted() const { return unlisted_; }
  std::vector<CocoResult>& results() { return results_; }
  const LeftOut& left_out() const { return left_out_; }
  /// How many results have each of the shapes.
  const std::array<size_t, kResultShapes.size()>& shapes() const { return shapes_; }
  JsonReader& reader() { return reader_; }

  void read_element(size_t index) {
    enum Member : unsigned { kImageId, kCategoryId, kBbox, kScore };
    ++total_;
    CocoResult result;
    const char* problem = nullptr;
    const ResultShape* shape = nullptr;
    bool has_box = false;
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
        has_box = !box.is_absent;
        result.bbox = box.values;
        if (box.problem != nullptr) problem = bad(box.problem);
      } else if (key == "score") {
        members.add(reader_, kScore, key);
        result.score = reader_.read_any_number();
        if (std::isnan(result.score) && problem == nullptr) problem = bad("score that is no number");
      } else {
        if (const ResultShape* found = shape_of(key); found != nullptr) shape = found;
        reader_.skip();
      }
    });
    members.require(reader_, kImageId, "image_id");
    members.require(reader_, kCategoryId, "category_id");
    if (shape != nullptr && !has_box) reader_.error("{}", shape->missing);
    if (shape != nullptr) ++shapes_[static_cast<size_t>(shape - kResultShapes.data())];
    members.require(reader_, kBbox, "bbox");
    members.require(reader_, kScore, "score");
    if (map_ != nullptr) {
      const auto found = map_->find(result.category_id);
      if (found == map_->end()) return left_out_.add("of categories that the category map does not have", index);
      result.category_id = found->second;
    }
    // lvis-api counts these, too, when it limits the detections of an image.
    const bool is_listed = categories_.contains(result.category_id);
    unlisted_ += is_listed ? 0 : 1;
    if (problem == nullptr && dataset_.rules != Rules::kLvis && !is_listed)
      problem = "of categories that the annotation file does not list";
    if (problem != nullptr) return left_out_.add(problem, index);
    results_.push_back(result);
  }

 private:
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

  static const ResultShape* shape_of(std::string_view member) {
    const auto found = std::ranges::find(kResultShapes, member, &ResultShape::member);
    return found == kResultShapes.end() ? nullptr : &*found;
  }

  const char* bad(const char* problem) {
    if (strict_) reader_.error("{}", problem);
    return problem;
  }

  JsonReader reader_;
  const GroundTruth& dataset_;
  const std::unordered_set<int64_t>& categories_;
  const CategoryIdMap* map_;
  bool strict_;
  std::optional<int64_t> last_image_;
  size_t total_ = 0, unlisted_ = 0;
  std::vector<CocoResult> results_;
  LeftOut left_out_;
  std::array<size_t, kResultShapes.size()> shapes_{};
};

CocoResultFile read_results(const JsonInput& input, const GroundTruth& dataset, BadRecords bad_records,
                            const CategoryIdMap* map = nullptr) {
  JsonReader reader(input.text, input.name);
  if (reader.peek() == '{') reader.error("expected a list of results, found an object, as annotation files are");
  std::unordered_set<int64_t> categories;
  for (const Category& category : dataset.categories) categories.insert(category.id);
  auto parts = read_array_in_parts<ResultReader>(
      input, reader,
      [&](const JsonReader& at, bool) { return ResultReader(at, dataset, categories, map, bad_records); },
      [](const auto&) { return true; });
  reader.finish();
  CocoResultFile file;
  LeftOut left_out;
  size_t total = 0;
  append_parts(file.results, parts, &ResultReader::results);
  for (const ResultReader& part : parts) {
    left_out.append(part.left_out(), total);
    total += part.total();
    file.unlisted += part.unlisted();
  }
  file.notes = left_out.lines(input.name, "results", total, "");
  for (size_t i = 0; i < kResultShapes.size(); ++i) {
    size_t count = 0;
    for (const ResultReader& part : parts) count += part.shapes()[i];
    if (count > 0)
      file.notes.push_back(fmt::format("{}: {} of {} results have {}, which are not evaluated: boxes alone are",
                                       input.name, count, total, kResultShapes[i].plural));
  }
  return file;
}

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
                                  BadRecords bad_records, ThreadPool* pool, const CategoryIdMap* categories) {
  return read_results({.text = text, .name = name, .pool = pool}, dataset, bad_records, categories);
}

CocoResultFile read_coco_results(const std::filesystem::path& path, const GroundTruth& dataset, BadRecords bad_records,
                                 ThreadPool* pool, const CategoryIdMap* categories, WorkProgress* progress) {
  const MappedFile file(path);
  const JsonInput input{.text = file.text(), .name = file.path(), .pool = pool, .file = &file, .progress = progress};
  begin_reading(input, "results");
  return read_results(input, dataset, bad_records, categories);
}

}  // namespace effdet::eval
