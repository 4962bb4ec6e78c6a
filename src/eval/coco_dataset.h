// COCO annotation files (instances_*.json), as far as detection needs them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/thread_pool.h"
#include "eval/ground_truth.h"
#include "eval/left_out.h"

namespace effdet::eval {

class WorkProgress;

/// Reads an annotation file. Members that detection does not need (info, licenses, segmentation, keypoints, ...) are
/// passed over. Files without annotations or categories load (image_info_test-dev2017.json has none); iscrowd defaults
/// to 0, area to that of the box. Boxes may be empty and may lie outside of the image, as some of COCO's do. Of images,
/// only the id must be there. Ids may be strings, as in pycocotools, but not some strings and some numbers.
///
/// Annotations without a box or with one that makes no sense (see BoxOfRecord), and those of images and categories
/// that are not listed, are left out or refused, as bad_records says.
///
/// With Rules::kLvis, images must have neg_category_ids and not_exhaustive_category_ids, and categories a frequency; as
/// in lvis-api, there are no crowds, "ignore" counts, and annotations whose area is not above 0 are left out.
///
/// Throws Error(kBadInput) naming file, JSON path and, where known, the byte: for JSON that JsonReader refuses, members
/// that are missing or occur twice, ids that are neither 64-bit integers nor strings, boxes of other than four numbers,
/// an annotation id that occurs twice, and ids of images or categories that stand for two different ones.
///
/// With a pool, parts of a long file are read at the same time; what comes of it is the same. Their bytes are told to
/// progress, where given.
GroundTruth read_coco_dataset(const std::filesystem::path& path, BadRecords bad_records = BadRecords::kLeaveOut,
                              ThreadPool* pool = nullptr, Rules rules = Rules::kCoco, WorkProgress* progress = nullptr);

/// The same from a text; name is used in errors.
GroundTruth parse_coco_dataset(std::string_view text, const std::string& name,
                               BadRecords bad_records = BadRecords::kLeaveOut, ThreadPool* pool = nullptr,
                               Rules rules = Rules::kCoco);

}  // namespace effdet::eval
