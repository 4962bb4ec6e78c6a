// Prints detections as a table or as JSON.
#include "detections_text.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "cli.h"
#include "effdet/result_format.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostInTable = 1000;  // images

void add_rows(Table& table, const DetectedImage& image, const std::vector<std::string>& names) {
  const std::string name = one_line(std::filesystem::path(image.image).filename().string());
  if (image.detections.empty()) table.add({name, "(nothing)"});
  for (const Detection& d : image.detections)
    table.add({name, one_line(class_name(d.category, names)), fmt::format("{:.3f}", d.score),
               fmt::format("{:.1f}", d.x1), fmt::format("{:.1f}", d.y1), fmt::format("{:.1f}", d.x2),
               fmt::format("{:.1f}", d.y2)});
}

}  // namespace

std::string class_name(int category, const std::vector<std::string>& names) {
  const auto index = static_cast<size_t>(category - 1);
  return index < names.size() ? names[index] : fmt::format("class {}", category);
}

void print_detections(const DetectImagesReport& report, const std::string& list) {
  if (report.images.size() > kMostInTable) {
    size_t detections = 0;
    for (const DetectedImage& image : report.images) detections += image.detections.size();
    fmt::print("{} detections in {} images{}\n", detections, report.images.size(), list.empty() ? "" : ": " + list);
    return;
  }
  Table table;
  table.add({"image", "class", "score", "x1", "y1", "x2", "y2"});
  for (const DetectedImage& image : report.images) add_rows(table, image, report.class_names);
  table.print();
}

void print_detections_json(const DetectImagesReport& report) {
  ResultText text("json", report.class_names, [](std::string_view part) { fmt::print("{}", part); });
  for (const DetectedImage& image : report.images) text.add(image);
  text.end();
}

}  // namespace effdet::cli
