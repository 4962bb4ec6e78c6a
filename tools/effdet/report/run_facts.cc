// Collects versions, names, hashes and small copies of images.
#include "report/run_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <ctime>
#include <filesystem>

#include "effdet/error.h"
#include "effdet/file_hash.h"
#include "processor.h"

namespace effdet::cli {
namespace {

constexpr int kThumbnailSide = 480;
constexpr size_t kMostImageBytes = size_t{3} << 20;  // of JPEG; base64 makes them a third larger

template <typename List>
void add_list(Facts& facts, const char* name, const List& list) {
  if (!list.empty()) facts.emplace_back(name, fmt::format("{}", fmt::join(list, ", ")));
}

}  // namespace

Facts machine_facts() { return {{"effdet", EFFDET_VERSION}, {"Processor", processor_name()}}; }

void add_file(Facts& facts, const std::string& name, const std::string& path) {
  if (path.empty()) return;
  facts.emplace_back(name, path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || error) return;
  try {
    facts.emplace_back(name + ", SHA-256", file_sha256(path));
  } catch (const Error&) {  // the report is worth more than the hash
  }
}

void add_parameters(Facts& facts, const EvaluateOptions& options) {
  facts.emplace_back("Images", options.only_images_with_results ? "those that have results"
                               : options.images.empty()         ? "all of the annotation file"
                                                        : fmt::format("{} that were chosen", options.images.size()));
  add_list(facts, "Only the categories", options.categories);
  if (options.ignore_categories) facts.emplace_back("Categories", "all are one");
  add_list(facts, "IoU thresholds", options.iou_thresholds);
  add_list(facts, "Recall thresholds", options.recall_thresholds);
  add_list(facts, "Detections of a category in an image", options.max_detections);
  for (const auto& area : options.areas)
    facts.emplace_back("Size " + area.label, fmt::format("{:g} to {:g} square pixels", area.low, area.high));
}

std::string date_text() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::optional<Thumbnail> ReportImages::operator()(const AnalysedImage& image) {
  if (bytes_ > kMostImageBytes) return std::nullopt;
  try {
    Thumbnail thumbnail = image_thumbnail(data_, image, kThumbnailSide);
    bytes_ += thumbnail.jpeg.size();
    return thumbnail;
  } catch (const Error& error) {
    if (!lies_in_the_image(error.code())) throw;
    return std::nullopt;  // its boxes stand in an empty frame
  }
}

}  // namespace effdet::cli
