// The table of paths.
#include "server/route.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "server/http_error.h"

namespace effdet::server {
namespace {

struct Path {
  std::vector<std::string_view> steps;
  Endpoint endpoint;
  bool is_json = true;
};

const std::vector<Path>& paths() {
  static const std::vector<Path> all = {
      {{}, Endpoint::kPage},
      {{"healthz"}, Endpoint::kLive, false},
      {{"readyz"}, Endpoint::kReady, false},
      {{"metrics"}, Endpoint::kMetrics},
      {{"v2"}, Endpoint::kServer},
      {{"v2", "health", "live"}, Endpoint::kLive},
      {{"v2", "health", "ready"}, Endpoint::kReady},
      {{"v2", "models", "stats"}, Endpoint::kStatistics},
      {{"v2", "repository", "index"}, Endpoint::kIndex},
  };
  return all;
}

/// What follows the model's name, and its version where there is one.
Endpoint model_endpoint(const std::vector<std::string>& path, size_t at) {
  if (path.size() == at) return Endpoint::kModel;
  if (path.size() == at + 1) {
    if (path[at] == "ready") return Endpoint::kModelReady;
    if (path[at] == "config") return Endpoint::kConfig;
    if (path[at] == "stats") return Endpoint::kStatistics;
    if (path[at] == "infer") return Endpoint::kInfer;
    if (path[at] == "detect") return Endpoint::kDetect;
  }
  throw HttpError(404, "there is nothing at this path");
}

/// [/region/NAME]/{status,register,unregister}, behind "systemsharedmemory" or "cudasharedmemory".
Route shared_memory_route(const std::vector<std::string>& path) {
  Route route;
  route.is_cuda = path[1].starts_with("cuda");
  route.action = path.back();
  const bool has_name = path.size() == 5 && path[2] == "region";
  if (has_name) route.region = path[3];
  const bool is_status = route.action == "status";
  const bool is_known = is_status || route.action == "unregister" || (route.action == "register" && has_name);
  if (!is_known || (!has_name && path.size() != 3)) throw HttpError(404, "there is nothing at this path");
  route.endpoint = is_status ? Endpoint::kSharedStatus : Endpoint::kSharedChange;
  return route;
}

}  // namespace

Route find_route(const Target& target) {
  const std::vector<std::string>& path = target.path;
  for (const Path& known : paths())
    if (std::equal(path.begin(), path.end(), known.steps.begin(), known.steps.end()))
      return {.endpoint = known.endpoint, .is_json = known.is_json};
  if (path.size() == 5 && path[0] == "v2" && path[1] == "repository" && path[2] == "models" &&
      (path[4] == "load" || path[4] == "unload"))
    return {.endpoint = Endpoint::kRepository, .model = path[3], .action = path[4]};
  if (path.size() >= 3 && path[0] == "v2" && (path[1] == "systemsharedmemory" || path[1] == "cudasharedmemory"))
    return shared_memory_route(path);
  if (path.size() < 3 || path[0] != "v2" || path[1] != "models") throw HttpError(404, "there is nothing at this path");
  size_t at = 3;
  if (path.size() > at && path[at] == "versions") {
    if (path.size() < 5) throw HttpError(404, "there is nothing at this path");
    if (path[4] != "1") throw HttpError(404, "model '{}' has no version '{}', only 1", path[2], path[4]);
    at = 5;
  }
  return {.endpoint = model_endpoint(path, at), .model = path[2]};
}

}  // namespace effdet::server
