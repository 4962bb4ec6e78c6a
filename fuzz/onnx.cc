// ONNX models, through all that is done with one: shapes, simplification, writing, compilation, a run.
#include <algorithm>

#include "base/checked.h"
#include "compiler/compile.h"
#include "input_file.h"
#include "onnx/reader.h"
#include "onnx/tensor_file.h"
#include "onnx/writer.h"
#include "ops/cost.h"
#include "ops/op.h"
#include "passes/pipeline.h"
#include "runtime/engine.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

constexpr size_t kMostNodes = 300;
constexpr int64_t kMostWork = 10'000'000;  // operations and bytes, of a run

/// Whether operators, types and shapes are known, and a run takes milliseconds.
bool is_small(const ir::Graph& graph) {
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const ir::Value& value = graph.value(static_cast<ir::ValueId>(id));
    const std::optional<Shape>& shape = value.shape;
    if (value.dtype == DType::kUnknown || !shape || std::ranges::any_of(*shape, [](int64_t dim) { return dim < 0; }))
      return false;
  }
  int64_t work = 0;
  for (const ir::ValueId id : graph.inputs) {
    const auto elements = checked_numel(*graph.value(id).shape);  // that nobody reads, perhaps
    if (!elements || static_cast<int64_t>(*elements) > kMostWork) return false;
    work += static_cast<int64_t>(*elements);
  }
  for (const ir::Node& node : graph.nodes) {
    if (node.opaque) return false;
    const ops::Cost cost = ops::cost_of(graph, node);
    if (ops::is_heavy(node) || cost.flops < 0 || cost.bytes < 0 || cost.flops > kMostWork || cost.bytes > kMostWork)
      return false;
    work += cost.flops + cost.bytes;
    if (work > kMostWork) return false;
  }
  return true;
}

void run(const ir::Graph& graph, artifact::Program program) {
  std::vector<Tensor> inputs;
  for (const ir::ValueId id : graph.inputs) inputs.emplace_back(graph.value(id).dtype, *graph.value(id).shape);
  runtime::Session(std::make_shared<runtime::Engine>(std::move(program)), 1).run(inputs);
}

}  // namespace

/// External data, where the model has some, are in the file "weights".
void onnx(Bytes input) {
  static const bool once = (write_input("weights", std::string(4096, '\1')), true);
  static_cast<void>(once);
  const std::filesystem::path file = write_input("input", text_of(input));
  ir::Graph graph;
  if (!read([&] { graph = onnx::read_onnx(file); }) || graph.nodes.size() > kMostNodes) return;
  ir::Graph inferred = graph;
  if (!read([&] { ops::infer_shapes(inferred); })) return;
  const bool small = is_small(inferred);
  read([&] {
    ir::Graph simple = graph;
    passes::simplify(simple);
    onnx::write_onnx(simple, work_folder() / "simple.onnx");
    onnx::read_onnx(work_folder() / "simple.onnx");
  });
  if (small) read([&] { run(inferred, compiler::compile(graph)); });
}

void tensor_pb(Bytes input) { read_file_of(input, onnx::read_tensor_file); }

}  // namespace effdet::fuzz
