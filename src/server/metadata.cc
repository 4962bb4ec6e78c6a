// Describes the server and its models.
#include "server/metadata.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "effdet/version.h"
#include "server/data_types.h"

namespace effdet::server {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

/// A tensor of an interface, with its type's name in the protocol.
struct InterfaceTensor {
  std::string name, type;
  std::vector<int64_t> shape;
};

std::vector<InterfaceTensor> interface_tensors(const std::vector<TensorInfo>& tensors) {
  std::vector<InterfaceTensor> all;
  for (const TensorInfo& tensor : tensors)
    all.push_back({tensor.name, std::string(data_type_of(tensor.dtype)->protocol), tensor.shape});
  return all;
}

std::vector<InterfaceTensor> inputs_of(const Interface& of) {
  if (of.pictures) return {{"images", "BYTES", {-1}}};
  return interface_tensors(of.model->plans().front().inputs);
}

std::vector<InterfaceTensor> outputs_of(const Interface& of) {
  if (of.pictures)
    return {{"num_detections", "INT32", {-1}},
            {"boxes", "FP32", {-1, -1, 4}},
            {"scores", "FP32", {-1, -1}},
            {"classes", "INT32", {-1, -1}}};
  return interface_tensors(of.model->plans().front().outputs);
}

Json metadata_list(const std::vector<InterfaceTensor>& tensors) {
  Json list = Json::array();
  for (const InterfaceTensor& tensor : tensors)
    list.push_back({{"name", tensor.name}, {"datatype", tensor.type}, {"shape", tensor.shape}});
  return list;
}

Json config_list(const std::vector<InterfaceTensor>& tensors) {
  Json list = Json::array();
  for (const InterfaceTensor& tensor : tensors)
    list.push_back({{"name", tensor.name},
                    {"data_type", tensor.type == "BYTES" ? "TYPE_STRING" : "TYPE_" + tensor.type},
                    {"dims", tensor.shape}});
  return list;
}

Json duration(uint64_t count, double seconds) {
  return {{"count", count}, {"ns", static_cast<uint64_t>(seconds * 1e9)}};
}

Json statistics_json(const Interface& of) {
  const Statistics now = of.statistics().now();
  uint64_t failures = 0;
  for (const uint64_t count : now.failures) failures += count;
  const StageSeconds& sums = now.seconds;
  return {{"name", of.name()},
          {"version", "1"},
          {"last_inference", now.last_milliseconds},
          {"inference_count", now.inferences},
          {"execution_count", now.executions},
          {"inference_stats",
           {{"success", duration(now.success, sums.total)},
            {"fail", duration(failures, now.failed_seconds)},
            {"queue", duration(now.success, sums.queue)},
            {"compute_input", duration(now.success, sums.input)},
            {"compute_infer", duration(now.success, sums.infer)},
            {"compute_output", duration(now.success, sums.output)},
            {"cache_hit", duration(0, 0)},
            {"cache_miss", duration(0, 0)}}},
          {"batch_stats", Json::array()}};
}

}  // namespace

std::string server_metadata(bool shared_memory) {
  Json extensions = {"binary_tensor_data", "model_configuration", "model_repository", "statistics"};
  if (shared_memory) extensions.push_back("system_shared_memory");
  return line_of(
      {{"name", "effdet"},
       {"version", fmt::format("{}.{}.{}", EFFDET_VERSION_MAJOR, EFFDET_VERSION_MINOR, EFFDET_VERSION_PATCH)},
       {"extensions", extensions}});
}

std::string model_metadata(const Interface& of) {
  return line_of({{"name", of.name()},
                  {"versions", {"1"}},
                  {"platform", "effdet_om"},
                  {"inputs", metadata_list(inputs_of(of))},
                  {"outputs", metadata_list(outputs_of(of))}});
}

std::string model_config(const Interface& of) {
  const bool on_cpu = of.model->device() == "cpu";
  return line_of(
      {{"name", of.name()},
       {"platform", "effdet_om"},
       {"backend", "effdet"},
       {"version_policy", {{"latest", {{"num_versions", 1}}}}},
       {"max_batch_size", 0},
       {"input", config_list(inputs_of(of))},
       {"output", config_list(outputs_of(of))},
       {"instance_group",
        {{{"name", of.name()}, {"kind", on_cpu ? "KIND_CPU" : "KIND_MODEL"}, {"count", of.model->stream_count()}}}}});
}

std::string model_statistics(const std::vector<Interface>& of) {
  Json list = Json::array();
  for (const Interface& one : of) list.push_back(statistics_json(one));
  return line_of({{"model_stats", list}});
}

std::string repository_index(const std::vector<Interface>& of) {
  Json list = Json::array();
  for (const Interface& one : of)
    list.push_back({{"name", one.name()}, {"version", "1"}, {"state", "READY"}, {"reason", ""}});
  return line_of(list);
}

}  // namespace effdet::server
