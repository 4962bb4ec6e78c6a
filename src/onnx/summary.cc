// Counts nodes and weights of an ONNX file without making a graph of it.
#include "onnx/summary.h"

#include "base/checked.h"
#include "onnx/tensor_proto.h"

namespace effdet::onnx {
namespace {

OnnxSummary::Port port_of(const pb::ValueInfoProto& value) {
  if (!value.type().has_tensor_type()) return {value.name(), "?", {}};
  const auto& type = value.type().tensor_type();
  return {value.name(), type_name(type.elem_type()), shape_of(type)};
}

/// Bytes that a tensor stands for; 0 where its dimensions are nonsense (read_onnx says so, a summary need not), and for
/// types that tensors do not have.
uint64_t tensor_bytes(const pb::TensorProto& tensor) {
  const auto dtype = known_dtype(tensor.data_type());
  const auto count = checked_numel(Shape(tensor.dims().begin(), tensor.dims().end()));
  return dtype && count ? checked_mul(*count, dtype_size(*dtype)).value_or(0) : 0;
}

}  // namespace

OnnxSummary summarize_onnx(const std::filesystem::path& path) {
  const auto model = load_model(path);
  const pb::GraphProto& graph = model->graph();
  OnnxSummary summary;
  summary.ir_version = model->ir_version();
  summary.producer = model->producer_name();
  summary.producer_version = model->producer_version();
  summary.graph_name = graph.name();
  for (const auto& import : model->opset_import()) {
    const std::string domain = canonical_domain(import.domain());
    summary.opsets[domain.empty() ? "ai.onnx" : domain] = import.version();
  }
  for (const auto& input : graph.input()) summary.inputs.push_back(port_of(input));
  for (const auto& output : graph.output()) summary.outputs.push_back(port_of(output));
  summary.node_count = static_cast<size_t>(graph.node_size());
  for (const auto& node : graph.node()) ++summary.nodes_by_op[node.op_type()];
  summary.initializer_count = static_cast<size_t>(graph.initializer_size());
  for (const auto& tensor : graph.initializer()) summary.initializer_bytes += tensor_bytes(tensor);
  for (const auto& entry : model->metadata_props()) summary.metadata[entry.key()] = entry.value();
  return summary;
}

}  // namespace effdet::onnx
