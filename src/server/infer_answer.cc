// Writes the answers to inference requests.
#include "server/infer_answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/http_error.h"
#include "server/json_tensor.h"

namespace effdet::server {
namespace {

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Outputs in the order of the request, with how each is sent.
std::vector<std::pair<const InferResult*, bool>> chosen_results(const InferRequest& request,
                                                                std::span<const InferResult> results) {
  std::vector<std::pair<const InferResult*, bool>> chosen;
  if (request.outputs.empty())
    for (const InferResult& result : results) chosen.emplace_back(&result, request.binary_outputs);
  for (const InferOutput& output : request.outputs) {
    const auto found = std::ranges::find(results, output.name, &InferResult::name);
    if (found == results.end()) throw HttpError(400, "the model has no output '{}'", output.name);
    const bool repeated = std::ranges::any_of(chosen, [&](const auto& other) { return other.first == &*found; });
    if (repeated) throw HttpError(400, "output '{}' is asked for twice", output.name);
    chosen.emplace_back(&*found, output.binary);
  }
  return chosen;
}

}  // namespace

Answer infer_answer(const std::string& model, const InferRequest& request, std::span<const InferResult> results,
                    std::shared_ptr<const void> owner) {
  Answer answer;
  if (request.as_message) {
    for (const auto& [result, binary] : chosen_results(request, results)) {
      answer.tensors.push_back({result->name, std::string(result->type->protocol), result->shape});
      answer.parts.push_back(result->bytes);
    }
    answer.owner = std::move(owner);
    return answer;
  }
  std::string& text = answer.text;
  text = "{\"model_name\":" + json_string(model) + ",\"model_version\":\"1\"";
  if (!request.id.empty()) text += ",\"id\":" + json_string(request.id);
  text += ",\"outputs\":[";
  bool first = true;
  for (const auto& [result, binary] : chosen_results(request, results)) {
    if (!std::exchange(first, false)) text += ',';
    text += "{\"name\":" + json_string(result->name) + ",\"datatype\":\"" + std::string(result->type->protocol) +
            "\",\"shape\":" + nlohmann::json(result->shape).dump();
    if (binary) {
      text += ",\"parameters\":{\"binary_data_size\":" + std::to_string(result->bytes.size()) + "}}";
      answer.parts.push_back(result->bytes);
    } else {
      text += ",\"data\":";
      append_json_tensor(text, *result->type, result->bytes);
      text += '}';
    }
  }
  text += "]}";
  if (answer.parts.empty()) return answer;
  answer.content_type = "application/octet-stream";
  answer.fields.emplace_back("Inference-Header-Content-Length", std::to_string(text.size()));
  answer.owner = std::move(owner);
  return answer;
}

}  // namespace effdet::server
