// Reads a file into a graph, with its metadata and its functions resolved.
#include "onnx/reader.h"

#include "base/error.h"
#include "ir/messages.h"
#include "onnx/functions.h"
#include "onnx/graph_reader.h"

namespace effdet::onnx {
namespace {

void read_metadata(const pb::ModelProto& model, const std::string& file, ir::Graph& graph) {
  for (const auto& entry : model.metadata_props())
    if (!graph.metadata.emplace(entry.key(), entry.value()).second)
      bad_input("{}: metadata_props holds '{}' twice", file, entry.key());
}

}  // namespace

ir::Graph read_onnx(const std::filesystem::path& path) {
  const auto model = load_model(path);
  inline_functions(*model, path.string());
  const auto origin = std::make_shared<const Origin>(Origin{path.string(), own_opset(*model)});
  ir::Graph graph = read_graph(*model->mutable_graph(), origin, ExternalData(path));
  read_metadata(*model, origin->file, graph);
  if (ir::holds_messages(graph) || model->functions_size() > 0) graph.ir_version = model->ir_version();
  for (const auto& import : model->opset_import())
    if (const std::string domain = canonical_domain(import.domain()); !domain.empty())
      graph.imports[domain] = import.version();
  for (const auto& function : model->functions())
    graph.functions.push_back(std::make_shared<const std::string>(function.SerializeAsString()));
  return graph;
}

}  // namespace effdet::onnx
