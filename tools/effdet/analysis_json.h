// What explains an evaluation, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "effdet/dataset.h"

namespace effdet::cli {

/// Of an evaluation that has an analysis. docs/evaluation.md has the members.
nlohmann::json analysis_json(const Evaluation& evaluation);

}  // namespace effdet::cli
