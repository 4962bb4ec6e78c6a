// A comparison of two results, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "effdet/dataset.h"

namespace effdet::cli {

/// Of an evaluation that has a comparison. docs/evaluation.md has the members.
nlohmann::json comparison_json(const Evaluation& evaluation);

}  // namespace effdet::cli
