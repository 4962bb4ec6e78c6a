// What was run and on what, for reports.
#pragma once

#include <cstddef>
#include <filesystem>
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

/// Reads the images of a report's pictures: at most some megabytes of them in all, and nothing where the folder is
/// empty or an image cannot be used.
class ReportImages {
 public:
  explicit ReportImages(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::optional<Thumbnail> operator()(const AnalysedImage& image);

 private:
  std::filesystem::path folder_;
  size_t bytes_ = 0;
};

}  // namespace effdet::cli
