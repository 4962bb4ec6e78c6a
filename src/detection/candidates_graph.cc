// Finds the heads of a graph, and puts ai.effdet::TopCandidates behind them.
#include "detection/candidates_graph.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "detection/decoded_model.h"
#include "detection/head_decoder.h"
#include "detection/nms_graph.h"
#include "model/metadata.h"
#include "ops/op.h"

namespace effdet::detection {
namespace {

constexpr const char* kKey = "effdet.candidates";

bool is_static_map(const ir::Value& value) {
  return value.dtype == DType::kF32 && value.shape && value.shape->size() == 4 &&
         std::ranges::all_of(*value.shape, [](int64_t dim) { return dim > 0; });
}

/// The class maps, then the box maps, level by level; nothing where they are not told by their sizes.
std::optional<std::vector<ir::ValueId>> heads_of(const ir::Graph& graph, const model::ModelInfo& info) {
  if (graph.inputs.size() != 1 || !is_static_map(graph.value(graph.inputs[0]))) return std::nullopt;
  const Shape& image = *graph.value(graph.inputs[0]).shape;
  std::vector<uint64_t> counts;
  for (const ir::ValueId id : graph.outputs) {
    const ir::Value& value = graph.value(id);
    if (!is_static_map(value) || value.shape->front() != image[0]) return std::nullopt;
    counts.push_back(static_cast<uint64_t>((*value.shape)[1] * (*value.shape)[2] * (*value.shape)[3]));
  }
  try {
    const HeadDecoder decoder(info, static_cast<int>(image[2]), static_cast<int>(image[3]));
    const eval::LevelLayout layout = decoder.layout_of(counts);
    std::vector<ir::ValueId> heads;
    for (const eval::LevelFiles& level : layout.levels) heads.push_back(graph.outputs[level.classes]);
    for (const eval::LevelFiles& level : layout.levels) heads.push_back(graph.outputs[level.boxes]);
    return heads;
  } catch (const Error&) {  // the decoder will tell, if the model is asked for detections
    return std::nullopt;
  }
}

}  // namespace

bool append_candidates(ir::Graph& graph, int64_t count) {
  if (!model::has_model_info(graph.metadata) || detects_itself(graph.metadata) || scored_anchors_of(graph.metadata))
    return false;
  const model::ModelInfo info = model::parse_metadata(graph.metadata, graph.name);
  if (info.decoding != model::Decoding::kAnchorLevels || info.selection != model::Selection::kAllClasses) return false;
  ops::infer_shapes(graph);
  const auto heads = heads_of(graph, info);
  if (!heads) return false;
  const auto add_output = [&](const char* name) {
    return graph.add_value({name, DType::kF32, std::nullopt, std::nullopt});
  };
  graph.outputs = {add_output("candidates"), add_output("not_numbers")};
  graph.nodes.push_back({"TopCandidates",
                         std::string(ir::kFusedDomain),
                         "candidates",
                         *heads,
                         graph.outputs,
                         {{"count", count}, {"classes", int64_t{info.num_classes}}}});
  ops::infer_shapes(graph);
  graph.metadata[kKey] = std::to_string(count);
  return true;
}

int64_t candidates_of(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kKey);
  if (found == metadata.end()) return 0;
  int64_t count = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), count);
  return count;
}

}  // namespace effdet::detection
