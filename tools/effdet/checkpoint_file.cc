// Downloads published weights where --checkpoint names a model and no file.
#include "checkpoint_file.h"

#include <cstdlib>
#include <filesystem>

#include "input_paths.h"
#include "progress.h"

namespace effdet::cli {

std::string download_with_progress(const std::string& model, DownloadOptions options) {
  if (options.mirror.empty())
    if (const char* mirror = std::getenv("EFFDET_MIRROR")) options.mirror = mirror;
  constexpr uint64_t kUnit = 1024;  // the bar counts KiB
  ProgressBar bar(model + " KiB");
  options.progress = [&](uint64_t done, uint64_t total) { bar.update(done / kUnit, total / kUnit); };
  return download_checkpoint(model, options).string();
}

std::string checkpoint_file(const std::string& argument) {
  return !is_there(argument) && has_release(argument) ? download_with_progress(argument, {}) : argument;
}

}  // namespace effdet::cli
