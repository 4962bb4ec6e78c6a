// Writes the answers to inference requests.
#include "server/infer_answer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/copy_bytes.h"
#include "server/http_error.h"
#include "server/json_tensor.h"

namespace effdet::server {
namespace {

std::string json_string(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// An output and how it is sent.
struct ChosenResult {
  const InferResult* result;
  bool binary;
  std::optional<SharedPart> shared = std::nullopt;  ///< its bytes are there
};

/// Puts an output into shared memory, unless the model has written it there. Returns the bytes that it takes.
SharedPlace share(const InferResult& result, const InferOutput& output) {
  const SharedPlace& place = output.place;
  if (result.bytes.size() > place.memory.size())
    throw HttpError(400, "output '{}' has {} bytes, but {} of region '{}' are given for it", result.name,
                    result.bytes.size(), place.memory.size(), output.shared->region);
  if (result.bytes.data() != place.memory.data()) copy_bytes(result.bytes, place.memory.data());
  place.region->check_whole();
  return {place.region, place.memory.first(result.bytes.size())};
}

/// Outputs in the order of the request.
std::vector<ChosenResult> choose_results(const InferRequest& request, std::span<const InferResult> results) {
  std::vector<ChosenResult> chosen;
  std::vector<SharedPlace> written;
  if (request.outputs.empty())
    for (const InferResult& result : results) chosen.push_back({&result, request.binary_outputs});
  for (const InferOutput& output : request.outputs) {
    const auto found = std::ranges::find(results, output.name, &InferResult::name);
    if (found == results.end()) throw HttpError(400, "the model has no output '{}'", output.name);
    if (std::ranges::find(chosen, &*found, &ChosenResult::result) != chosen.end())
      throw HttpError(400, "output '{}' is asked for twice", output.name);
    ChosenResult& one = chosen.emplace_back(&*found, output.binary);
    if (!output.shared) continue;
    const SharedPlace place = share(*found, output);
    if (std::ranges::any_of(written, [&](const SharedPlace& other) { return place.overlaps(other); }))
      throw HttpError(400, "output '{}' lies over another one in shared memory", output.name);
    one.shared = {output.shared->region, output.shared->offset, place.memory.size()};
    written.push_back(place);
  }
  return chosen;
}

}  // namespace

Answer infer_answer(const std::string& model, const InferRequest& request, std::span<const InferResult> results,
                    std::shared_ptr<const void> owner) {
  Answer answer;
  if (request.as_message) {
    for (const auto& [result, binary, shared] : choose_results(request, results)) {
      answer.tensors.push_back({result->name, std::string(result->type->protocol), result->shape, shared});
      answer.parts.push_back(shared ? std::span<const std::byte>() : result->bytes);
    }
    answer.owner = std::move(owner);
    return answer;
  }
  std::string& text = answer.text;
  text = "{\"model_name\":" + json_string(model) + ",\"model_version\":\"1\"";
  if (!request.id.empty()) text += ",\"id\":" + json_string(request.id);
  text += ",\"outputs\":[";
  bool first = true;
  for (const auto& [result, binary, shared] : choose_results(request, results)) {
    if (!std::exchange(first, false)) text += ',';
    text += "{\"name\":" + json_string(result->name) + ",\"datatype\":\"" + std::string(result->type->protocol) +
            "\",\"shape\":" + nlohmann::json(result->shape).dump();
    if (shared) {
      text += '}';  // Triton's C++ client takes any parameters here for those of binary data
    } else if (binary) {
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
