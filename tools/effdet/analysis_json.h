// What explains an evaluation, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "effdet/dataset.h"

namespace effdet::cli {

/// Of an evaluation that has an analysis. docs/evaluation.md has the members.
nlohmann::json analysis_json(const Evaluation& evaluation);

/// image_id, file_name, width, height.
nlohmann::json image_json(const AnalysedImage& image);

}  // namespace effdet::cli
