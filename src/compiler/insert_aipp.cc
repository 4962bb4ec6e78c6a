// The preprocessing of --insert_op_conf before the network.
#include "base/error.h"
#include "compiler/passes.h"
#include "ops/aipp.h"

namespace effdet::compiler {

void insert_aipp(ir::Graph& graph, const aipp::Config& config) {
  if (graph.inputs.size() != 1)
    fail(ErrorCode::kUnsupported, "{}: the model has {} inputs; preprocessing is for models with one", config.file,
         graph.inputs.size());
  const ir::ValueId planes = graph.inputs[0];
  const ir::Value& value = graph.value(planes);
  if (value.dtype != DType::kF32)
    fail(ErrorCode::kUnsupported, "{}: the model's input '{}' is {}, and preprocessing makes float32", config.file,
         value.name, dtype_name(value.dtype));
  const Shape shape = value.shape.value();
  const ops::AippSpec spec = config.resolve(shape);
  // The caller's tensor keeps the name that the model's input has.
  const std::string name = value.name;
  graph.value(planes).name += "_planes";
  graph.inputs[0] = graph.add_value({name, DType::kU8, spec.input_shape(shape[0]), std::nullopt});
  graph.nodes.insert(
      graph.nodes.begin(),
      {"Aipp", std::string(ir::kFusedDomain), name + "/aipp", {graph.inputs[0]}, {planes}, ops::aipp_attributes(spec)});
}

}  // namespace effdet::compiler
