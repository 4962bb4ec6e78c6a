// The weights that effdet published.
#include "base/error.h"
#include "effdet/download.h"
#include "fetch/download.h"
#include "model/releases.h"
#include "model/variants.h"

namespace effdet {
namespace {

std::string url_of(const std::string& model, const DownloadOptions& options) {
  if (!options.url.empty()) return options.url;
  const std::string_view file = model::release_file(model);
  if (file.empty())
    fail(ErrorCode::kUsage, "{} '{}'; effdet download --list names those that have, and --url takes any address",
         model::find_variant(model) ? "no weights were published for" : "there is no model", model);
  std::string folder = options.mirror.empty() ? std::string(model::release_folder()) : options.mirror;
  if (!folder.ends_with('/')) folder += '/';
  return folder.append(file);
}

}  // namespace

bool has_release(const std::string& model) { return !model::release_file(model).empty(); }

std::filesystem::path download_checkpoint(const std::string& model, const DownloadOptions& options) {
  if (options.stall_seconds < 1)
    fail(ErrorCode::kUsage, "stall_seconds is {}, must be at least 1", options.stall_seconds);
  return fetch::download(url_of(model, options), options);
}

}  // namespace effdet
