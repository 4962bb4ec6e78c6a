// What was run and on what, for reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "effdet/dataset.h"
#include "effdet/thumbnail.h"

namespace effdet::cli {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// effdet's version and the processor.
Facts machine_facts();
/// A file's path and, where it is a regular file, its SHA-256. Nothing for an empty path.
void add_file(Facts& facts, const std::string& name, const std::string& path);
/// The parameters that are not COCO's.
void add_parameters(Facts& facts, const EvaluateOptions& options);
/// "2026-01-31 12:00:00 UTC".
std::string date_text();

/// Reads the images of a report's pictures, from where the data set has them: at most some megabytes of them in all,
/// and nothing where an image cannot be used.
class ReportImages {
 public:
  explicit ReportImages(DataSource data) : data_(std::move(data)) {}
  std::optional<Thumbnail> operator()(const AnalysedImage& image);

 private:
  DataSource data_;
  size_t bytes_ = 0;
};

}  // namespace effdet::cli
