// What explains an evaluation, as text.
#pragma once

#include "effdet/dataset.h"

namespace effdet::cli {

/// Tables of an evaluation that has an analysis. per_class: all categories, not only those with the lowest F1.
void print_analysis(const Evaluation& evaluation, bool per_class);

}  // namespace effdet::cli
