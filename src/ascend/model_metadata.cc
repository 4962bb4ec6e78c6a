// MODEL.metadata.json: {"format": "effdet model metadata 1", "model_xxh3": "16 hex digits", "metadata": {name: text}}.
#include "ascend/model_metadata.h"

#include <xxhash.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "effdet/cann_model.h"
#include "model/metadata.h"
#include "onnx/reader.h"

namespace effdet {
namespace ascend {
namespace {

namespace fs = std::filesystem;
using Metadata = std::map<std::string, std::string>;

constexpr const char* kFormat = "effdet model metadata 1";
constexpr uint64_t kMostBytes = 16 << 20;

fs::path path_beside(const fs::path& model) { return model.string() + ".metadata.json"; }

std::string hash_of(const fs::path& model) {
  const MappedFile file(model);
  return fmt::format("{:016x}", XXH3_64bits(file.bytes().data(), file.size()));
}

Metadata metadata_of_onnx(const fs::path& path) {
  Metadata metadata = onnx::read_onnx(path).metadata;
  if (!model::has_model_info(metadata))
    fail(ErrorCode::kUnsupported, "{}: has no effdet metadata; export the checkpoint with pth2onnx", path.string());
  return metadata;
}

/// What a file of keep_metadata() says.
struct KeptMetadata {
  std::string model_hash;
  Metadata metadata;
};

KeptMetadata read_kept(const fs::path& path) {
  const auto json = nlohmann::json::parse(read_file(path, kMostBytes), nullptr, /*allow_exceptions=*/false);
  const auto text_of = [&](const nlohmann::json& object, const std::string& key) -> std::string {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) bad_input("{}: no text '{}'", path.string(), key);
    return found->get<std::string>();
  };
  if (!json.is_object() || text_of(json, "format") != kFormat)
    bad_input("{}: no JSON of the format '{}'", path.string(), kFormat);
  KeptMetadata kept{text_of(json, "model_xxh3"), {}};
  const auto found = json.find("metadata");
  if (found == json.end() || !found->is_object()) bad_input("{}: no object 'metadata'", path.string());
  for (const auto& [key, value] : found->items()) kept.metadata[key] = text_of(*found, key);
  if (!model::has_model_info(kept.metadata)) bad_input("{}: its metadata have no effdet.variant", path.string());
  return kept;
}

/// Those of the file beside a model; none where there is no such file, or it is of a model that was there before.
Metadata metadata_beside(const fs::path& model) {
  const fs::path path = path_beside(model);
  if (std::error_code ignored; !fs::exists(path, ignored)) return {};
  KeptMetadata kept = read_kept(path);
  return kept.model_hash == hash_of(model) ? std::move(kept.metadata) : Metadata();
}

bool begins_as_json(const fs::path& path) {
  const MappedFile file(path);
  const size_t at = file.text().find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && file.text()[at] == '{';
}

Metadata named_metadata(const fs::path& path, const fs::path& model) {
  if (!begins_as_json(path)) return metadata_of_onnx(path);
  KeptMetadata kept = read_kept(path);
  if (kept.model_hash != hash_of(model))
    bad_input("{}: is of another model than {}; name the ONNX file that it was compiled from", path.string(),
              model.string());
  return std::move(kept.metadata);
}

}  // namespace

void complete_metadata(std::vector<artifact::Program>& plans, const fs::path& model, const fs::path& named) {
  if (model::has_model_info(plans.at(0).graph.metadata)) {
    if (named.empty()) return;
    fail(ErrorCode::kUsage, "--metadata {}: {} has metadata of its own; leave the flag out", named.string(),
         model.string());
  }
  const Metadata metadata = named.empty() ? metadata_beside(model) : named_metadata(named, model);
  for (artifact::Program& plan : plans)
    for (const auto& [key, value] : metadata) plan.graph.metadata[key] = value;
}

}  // namespace ascend

std::filesystem::path keep_metadata(const std::filesystem::path& model, const std::filesystem::path& onnx) {
  const nlohmann::json json = {{"format", ascend::kFormat},
                               {"model_xxh3", ascend::hash_of(model)},
                               {"metadata", ascend::metadata_of_onnx(onnx)}};
  const std::filesystem::path path = ascend::path_beside(model);
  write_file(path, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
  return path;
}

}  // namespace effdet
