// MODEL.metadata.json: {"format": "effdet model metadata 1", "model_xxh3": "16 hex digits", "metadata": {name: text}},
// and "insert_op_conf", the text of that file, for a model with preprocessing.
#include "ascend/model_metadata.h"

#include <xxhash.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "aipp/config.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"
#include "effdet/cann_model.h"
#include "effdet/text_file.h"
#include "kernels/ascend/offline_model.h"
#include "model/metadata.h"
#include "onnx/reader.h"
#include "ops/aipp.h"

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
  std::optional<aipp::Config> preprocessing;
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
  KeptMetadata kept{text_of(json, "model_xxh3"), {}, {}};
  const auto found = json.find("metadata");
  if (found == json.end() || !found->is_object()) bad_input("{}: no object 'metadata'", path.string());
  for (const auto& [key, value] : found->items()) kept.metadata[key] = text_of(*found, key);
  if (!model::has_model_info(kept.metadata)) bad_input("{}: its metadata have no effdet.variant", path.string());
  if (json.contains("insert_op_conf"))
    kept.preprocessing = aipp::parse_config(text_of(json, "insert_op_conf"), path.string() + ": insert_op_conf");
  return kept;
}

/// That of the file beside a model; nothing where there is no such file, or it is of a model that was there before.
KeptMetadata kept_beside(const fs::path& model) {
  const fs::path path = path_beside(model);
  if (std::error_code ignored; !fs::exists(path, ignored)) return {};
  KeptMetadata kept = read_kept(path);
  return kept.model_hash == hash_of(model) ? std::move(kept) : KeptMetadata();
}

bool begins_as_json(const fs::path& path) {
  const MappedFile file(path);
  const size_t at = file.text().find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && file.text()[at] == '{';
}

KeptMetadata named_metadata(const fs::path& path, const fs::path& model) {
  if (!begins_as_json(path)) return {"", metadata_of_onnx(path), {}};
  KeptMetadata kept = read_kept(path);
  if (kept.model_hash != hash_of(model))
    bad_input("{}: is of another model than {}; name the ONNX file that it was compiled from", path.string(),
              model.string());
  return kept;
}

/// The preprocessing for the network of the metadata. Nothing where that has another size than the model was compiled
/// for.
std::optional<ops::AippSpec> resolved(const aipp::Config& config, const artifact::Program& plan, int64_t batch) {
  const model::ModelInfo info = model::parse_metadata(plan.graph.metadata, config.file);
  try {
    return config.resolve({batch, 3, info.image_height, info.image_width});
  } catch (const Error&) {  // it runs on files all the same
    return std::nullopt;
  }
}

/// Gives the model, which is one node, the preprocessing that is inside of it: its input is images then.
void add_preprocessing(artifact::Program& plan, const aipp::Config& config) {
  ir::Graph& graph = plan.graph;
  if (graph.inputs.size() != 1 || graph.nodes.size() != 1 || graph.nodes[0].op != kernels::ascend::kOfflineModel)
    return;
  ir::Value& input = graph.value(graph.inputs[0]);
  if (input.dtype != DType::kU8 || input.shape->empty()) return;
  const int64_t batch = input.shape->front();
  const auto spec = resolved(config, plan, batch);
  if (!spec || checked_numel(spec->input_shape(batch)) != checked_numel(*input.shape)) return;
  input.shape = spec->input_shape(batch);  // AscendCL may tell the same bytes otherwise
  graph.nodes[0].attributes.merge(ops::aipp_attributes(*spec));
}

}  // namespace

void complete_metadata(std::vector<artifact::Program>& plans, const fs::path& model, const fs::path& named) {
  if (model::has_model_info(plans.at(0).graph.metadata)) {
    if (named.empty()) return;
    fail(ErrorCode::kUsage, "--metadata {}: {} has metadata of its own; leave the flag out", named.string(),
         model.string());
  }
  const KeptMetadata kept = named.empty() ? kept_beside(model) : named_metadata(named, model);
  for (artifact::Program& plan : plans) {
    for (const auto& [key, value] : kept.metadata) plan.graph.metadata[key] = value;
    if (kept.preprocessing) add_preprocessing(plan, *kept.preprocessing);
  }
}

}  // namespace ascend

std::filesystem::path keep_metadata(const std::filesystem::path& model, const std::filesystem::path& onnx,
                                    const std::filesystem::path& insert_op_conf) {
  nlohmann::json json = {{"format", ascend::kFormat},
                         {"model_xxh3", ascend::hash_of(model)},
                         {"metadata", ascend::metadata_of_onnx(onnx)}};
  if (!insert_op_conf.empty()) {
    const std::string text = read_text_file(insert_op_conf);
    aipp::parse_config(text, insert_op_conf.string());  // whoever loads the model is not to find it wrong
    json["insert_op_conf"] = text;
  }
  const std::filesystem::path path = ascend::path_beside(model);
  write_file(path, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
  return path;
}

}  // namespace effdet
