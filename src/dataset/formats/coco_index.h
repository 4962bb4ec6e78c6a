// Annotations as COCO's JSON has them, for the formats that are made of it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dataset/format.h"
#include "eval/ground_truth.h"

namespace effdet::dataset {

/// info, licenses, images, annotations and categories, in the order of the ground truth. Ids are as the file that they
/// come from had them: numbers or strings.
nlohmann::json coco_index(const eval::GroundTruth& truth, const Origin& origin);

/// An id as the file that it comes from had it.
nlohmann::json json_id(int64_t id, const eval::StringIds& strings);

/// Creates the folder. Names out of other formats may be no UTF-8; what is none is replaced. Throws Error(kIo).
void write_json(const std::filesystem::path& file, const nlohmann::json& json);

}  // namespace effdet::dataset
