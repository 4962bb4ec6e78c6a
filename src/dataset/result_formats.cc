// The table of formats for results, and texts put together by it.
#include "dataset/result_format.h"

#include <fmt/ranges.h>

#include <array>

#include "base/error.h"
#include "dataset/results/texts.h"
#include "effdet/result_format.h"

namespace effdet::dataset {
namespace {

constexpr std::string_view kCsvHead = "image,width,height,category_id,category,score,x1,y1,x2,y2\n";

constexpr std::array kResultFormats{
    ResultFormat{.name = "json",
                 .file = "detections.json",
                 .text = results::json_text,
                 .open = "[\n",
                 .separator = ",\n",
                 .close = "\n]\n",
                 .empty = "[]\n"},
    ResultFormat{.name = "jsonl", .file = "detections.jsonl", .text = results::jsonl_text},
    ResultFormat{.name = "coco",
                 .file = "detections.coco.json",
                 .text = results::coco_text,
                 .open = "[\n",
                 .separator = ",\n",
                 .close = "\n]\n",
                 .empty = "[]\n"},
    ResultFormat{
        .name = "csv", .file = "detections.csv", .text = results::csv_text, .open = kCsvHead, .empty = kCsvHead},
    ResultFormat{.name = "yolo", .file = "labels", .text = results::yolo_text, .extension = ".txt"},
    ResultFormat{.name = "voc", .file = "annotations", .text = results::voc_text, .extension = ".xml"},
};

}  // namespace

std::span<const ResultFormat> all_result_formats() { return kResultFormats; }

const ResultFormat& result_format(std::string_view name) {
  for (const ResultFormat& format : kResultFormats)
    if (format.name == name) return format;
  fail(ErrorCode::kUsage, "'{}' is no format of results; there are {}", name,
       fmt::join(effdet::result_formats(), ", "));
}

}  // namespace effdet::dataset

namespace effdet {

std::vector<std::string> result_formats() {
  std::vector<std::string> names;
  for (const dataset::ResultFormat& format : dataset::all_result_formats()) names.emplace_back(format.name);
  return names;
}

std::string result_file(std::string_view format) { return std::string(dataset::result_format(format).file); }

ResultText::ResultText(std::string_view format, std::vector<std::string> class_names,
                       std::function<void(std::string_view)> write)
    : format_(dataset::result_format(format)), class_names_(std::move(class_names)), write_(std::move(write)) {
  if (!format_.extension.empty())
    fail(ErrorCode::kUsage, "the format {} has a file for each image, and no text for all of them", format);
}

void ResultText::add(const DetectedImage& image) {
  const std::string text = format_.text(image, class_names_);
  if (text.empty()) return;
  write_(std::string(is_empty_ ? format_.open : format_.separator) + text);
  is_empty_ = false;
}

void ResultText::end() { write_(is_empty_ ? format_.empty : format_.close); }

}  // namespace effdet
