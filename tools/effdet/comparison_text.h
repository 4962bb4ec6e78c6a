// A comparison of two results, as text.
#pragma once

#include <string>
#include <vector>

#include "effdet/dataset.h"

namespace effdet::cli {

/// "+0.012", "-0.012", "0.000"; a dash where it is not defined.
std::string difference_text(double difference);
/// "-0.003 to +0.021"; a dash where it is not defined.
std::string interval_text(const ComparedNumber& number);
/// "93.1 %"; a dash where it is not defined.
std::string better_text(const ComparedNumber& number);
/// Names of the numbers whose interval includes 0, and which are not equal in all resamples.
std::vector<std::string> undecided_metrics(const EvaluationComparison& comparison);

/// Tables of an evaluation that has a comparison. per_class: all categories, not only those that changed most.
void print_comparison(const Evaluation& evaluation, bool per_class);

}  // namespace effdet::cli
