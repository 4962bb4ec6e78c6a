#include "eval/coco_results.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/file.h"
#include "eval/coco_json.h"
#include "eval/json_reader.h"

namespace effdet {
namespace {

CocoResult read_result(JsonReader& reader) {
  enum Member : unsigned { kImageId, kCategoryId, kBbox, kScore };
  CocoResult result;
  MemberSet members;
  reader.read_object([&](std::string_view key) {
    if (key == "image_id") {
      members.add(reader, kImageId, key);
      result.image_id = reader.read_integer();
    } else if (key == "category_id") {
      members.add(reader, kCategoryId, key);
      result.category_id = reader.read_integer();
    } else if (key == "bbox") {
      members.add(reader, kBbox, key);
      result.bbox = read_bbox(reader);
    } else if (key == "score") {
      members.add(reader, kScore, key);
      result.score = reader.read_number();
    } else {
      reader.skip();
    }
  });
  members.require(reader, kImageId, "image_id");
  members.require(reader, kCategoryId, "category_id");
  members.require(reader, kBbox, "bbox");
  members.require(reader, kScore, "score");
  return result;
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

void write_coco_results(const std::filesystem::path& path, std::span<const CocoResult> results) {
  AtomicFile file(path);
  file.write("[");
  fmt::memory_buffer line;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    if (!is_finite(result)) bad_input("{}: result {} has a number that is not finite", path.string(), i);
    line.clear();
    fmt::format_to(std::back_inserter(line),
                   "{}{{\"image_id\": {}, \"bbox\": [{}, {}, {}, {}], \"score\": {}, \"category_id\": {}}}",
                   i == 0 ? "\n" : ",\n", result.image_id, result.bbox[0], result.bbox[1], result.bbox[2],
                   result.bbox[3], result.score, result.category_id);
    file.write(std::string_view(line.data(), line.size()));
  }
  file.write(results.empty() ? "]\n" : "\n]\n");
  file.commit();
}

std::vector<CocoResult> parse_coco_results(std::string_view text, const std::string& name) {
  JsonReader reader(text, name);
  std::vector<CocoResult> results;
  reader.read_array([&](size_t) { results.push_back(read_result(reader)); });
  reader.finish();
  return results;
}

std::vector<CocoResult> read_coco_results(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return parse_coco_results({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.path());
}

}  // namespace effdet
