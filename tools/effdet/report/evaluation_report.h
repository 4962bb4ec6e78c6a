// What a report on an evaluation is made from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/thumbnail.h"

namespace effdet::cli {

/// How fast the model was while it was evaluated.
struct ReportSpeed {
  double seconds = 0;            ///< from the first image read to the last detection
  double inference_seconds = 0;  ///< in the network; mean over the streams
  size_t images = 0;             ///< that were run
  int streams = 1;
};

struct EvaluationReport {
  std::string title;
  /// What was run and on what: versions, files, hashes, options. Plain text; a date is not among them.
  std::vector<std::pair<std::string, std::string>> facts;
  std::string date;  ///< the one thing that differs between two reports on the same run
  Evaluation evaluation;
  std::vector<ImageFailure> failures;
  std::optional<ReportSpeed> speed = {};
  /// A small copy of an image, or nothing where there is none or where the page would become too large.
  std::function<std::optional<Thumbnail>(const AnalysedImage&)> thumbnail = {};
};

/// The category's name, or its id where it has none. index: in evaluation.categories.
std::string category_label(const Evaluation& evaluation, size_t index);
/// "0.347", or a dash for the -1 of numbers that are not defined.
std::string score_text(double value);
/// "12.3 %", likewise.
std::string share_text(double value);

}  // namespace effdet::cli
