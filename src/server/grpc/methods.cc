// The table of methods.
#include "server/grpc/methods.h"

#include "server/http_error.h"

namespace effdet::server::grpc_module {
namespace {

using Json = nlohmann::json;
using Path = std::vector<std::string>;

std::string member(const Json& request, const char* name) { return request.value(name, std::string()); }

Path model_path(const Json& request, const char* last) {
  const std::string name = member(request, "name"), version = member(request, "version");
  if (name.empty()) throw HttpError(400, "the request names no model");
  Path path = {"v2", "models", name};
  if (!version.empty()) path.insert(path.end(), {"versions", version});
  if (*last != '\0') path.emplace_back(last);
  return path;
}

Path statistics_path(const Json& request) {
  return member(request, "name").empty() ? Path{"v2", "models", "stats"} : model_path(request, "stats");
}

Path repository_path(const Json& request, const char* what) {
  const Json parameters = request.value("parameters", Json::object());
  for (const auto& [name, value] : parameters.items())
    if (name != "unload_dependents") throw HttpError(400, "models are loaded from the server's own files alone");
  return {"v2", "repository", "models", member(request, "model_name"), what};
}

/// kind: "systemsharedmemory" or "cudasharedmemory".
Path shared_memory_path(const char* kind, const Json& request, const char* what) {
  const std::string name = member(request, "name");
  return name.empty() ? Path{"v2", kind, what} : Path{"v2", kind, "region", name, what};
}

Path register_path(const char* kind, const Json& request) {
  if (member(request, "name").empty()) throw HttpError(400, "the request names no region");
  return shared_memory_path(kind, request, "register");
}

std::string text_of(const Answer& answer) {
  if (!answer.error.empty()) throw HttpError(answer.status, "{}", answer.error);
  return answer.text;
}

/// A map of the regions by their names.
std::string regions_of(const Answer& answer) {
  Json regions = Json::object();
  for (const Json& region : Json::parse(text_of(answer))) regions[region["name"].get<std::string>()] = region;
  return Json{{"regions", regions}}.dump();
}

std::string ready_of(const Answer& answer) { return answer.status == 404 ? "{\"ready\":false}" : text_of(answer); }

const Method kMethods[] = {
    {"ServerLive", Kind::kSmall, true, "GET",
     [](const Json&) {
       return Path{"v2", "health", "live"};
     },
     text_of},
    {"ServerReady", Kind::kSmall, true, "GET",
     [](const Json&) {
       return Path{"v2", "health", "ready"};
     },
     text_of},
    {"ModelReady", Kind::kSmall, false, "GET", [](const Json& request) { return model_path(request, "ready"); },
     ready_of},
    {"ServerMetadata", Kind::kSmall, false, "GET", [](const Json&) { return Path{"v2"}; }, text_of},
    {"ModelMetadata", Kind::kSmall, false, "GET", [](const Json& request) { return model_path(request, ""); }, text_of},
    {"ModelInfer", Kind::kInfer},
    {"ModelStreamInfer", Kind::kStream},
    {"ModelConfig", Kind::kSmall, false, "GET", [](const Json& request) { return model_path(request, "config"); },
     [](const Answer& answer) { return "{\"config\":" + text_of(answer) + "}"; }},
    {"ModelStatistics", Kind::kSmall, false, "GET", statistics_path, text_of},
    {"RepositoryIndex", Kind::kSmall, false, "POST",
     [](const Json&) {
       return Path{"v2", "repository", "index"};
     },
     [](const Answer& answer) { return "{\"models\":" + text_of(answer) + "}"; }},
    {"RepositoryModelLoad", Kind::kSmall, false, "POST",
     [](const Json& request) { return repository_path(request, "load"); }, text_of},
    {"RepositoryModelUnload", Kind::kSmall, false, "POST",
     [](const Json& request) { return repository_path(request, "unload"); }, text_of},
    {"SystemSharedMemoryStatus", Kind::kSmall, false, "GET",
     [](const Json& request) { return shared_memory_path("systemsharedmemory", request, "status"); }, regions_of},
    {"SystemSharedMemoryRegister", Kind::kSmall, false, "POST",
     [](const Json& request) { return register_path("systemsharedmemory", request); }, text_of, true},
    {"SystemSharedMemoryUnregister", Kind::kSmall, false, "POST",
     [](const Json& request) { return shared_memory_path("systemsharedmemory", request, "unregister"); }, text_of},
    {"CudaSharedMemoryStatus", Kind::kSmall, false, "GET",
     [](const Json& request) { return shared_memory_path("cudasharedmemory", request, "status"); }, regions_of},
    {"CudaSharedMemoryRegister", Kind::kSmall, false, "POST",
     [](const Json& request) { return register_path("cudasharedmemory", request); }, text_of, true},
    {"CudaSharedMemoryUnregister", Kind::kSmall, false, "POST",
     [](const Json& request) { return shared_memory_path("cudasharedmemory", request, "unregister"); }, text_of},
};

}  // namespace

const Method* find_method(std::string_view path) {
  constexpr std::string_view kService = "/inference.GRPCInferenceService/";
  if (!path.starts_with(kService)) return nullptr;
  for (const Method& method : kMethods)
    if (path.substr(kService.size()) == method.name) return &method;
  return nullptr;
}

}  // namespace effdet::server::grpc_module
