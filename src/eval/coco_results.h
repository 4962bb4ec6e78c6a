// COCO result files: what a detector found, to be evaluated.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.h"
#include "eval/coco_dataset.h"
#include "eval/detect.h"

namespace effdet::eval {

/// Results below this score are not written; effdet's evaluator stops there.
inline constexpr float kMinResultScore = 0.001f;

struct CocoResult {
  int64_t image_id = 0;
  /// Left, top, width, height in pixels of the image.
  std::array<double, 4> bbox{};
  double score = 0;
  int64_t category_id = 0;
};

/// Appends an image's detections up to the first one below kMinResultScore. Width and height are differences in
/// float32, as effdet's evaluator makes them.
void append_results(int64_t image_id, std::span<const Detection> detections, std::vector<CocoResult>& results);

/// Writes the results as a JSON array, one a line. Every number is the shortest that reads back as the same double; ids
/// are as the data set has them. Throws Error(kBadInput) for a number that is not finite, Error(kIo).
void write_coco_results(const std::filesystem::path& path, std::span<const CocoResult> results,
                        const GroundTruth& dataset);

struct CocoResultFile {
  std::vector<CocoResult> results;
  /// What was left out of the file and why, a line each.
  std::vector<std::string> notes;
  size_t unlisted = 0;  ///< results of the file whose category the data set does not list
};

/// Category ids of a data set by those of a result file.
using CategoryIdMap = std::unordered_map<int64_t, int64_t>;

/// Reads a result file of a data set; members other than the four are passed over. Results whose box or score makes no
/// sense are left out or refused, as bad_records says; those of categories that the data set does not list are left
/// out, but for LVIS (see keep_lvis_results()). categories, where given, are those of the data set by those of the
/// file; results of others are left out. Throws Error(kBadInput) as read_coco_dataset(), and for results of images that
/// the data set does not have. With a pool, parts of a long file are read at the same time; what comes of it is the
/// same.
CocoResultFile read_coco_results(const std::filesystem::path& path, const GroundTruth& dataset,
                                 BadRecords bad_records = BadRecords::kLeaveOut, ThreadPool* pool = nullptr,
                                 const CategoryIdMap* categories = nullptr, WorkProgress* progress = nullptr);

/// The same from a text; name is used in errors.
CocoResultFile parse_coco_results(std::string_view text, const std::string& name, const GroundTruth& dataset,
                                  BadRecords bad_records = BadRecords::kLeaveOut, ThreadPool* pool = nullptr,
                                  const CategoryIdMap* categories = nullptr);

}  // namespace effdet::eval
