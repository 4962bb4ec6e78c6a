// What the public classes hold.
#pragma once

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/name_source.h"
#include "effdet/onnx_model.h"
#include "ir/graph.h"
#include "ops/quantized_nodes.h"
#include "ops/target.h"
#include "runtime/compiled_model_impl.h"

namespace effdet {

struct OnnxModel::Impl {
  ir::Graph graph;
  std::string source;  ///< the file it was read from; "" for none
};

namespace api {

/// Whether a graph has nodes that only quantized models have.
inline bool is_quantized(const ir::Graph& graph) { return std::ranges::any_of(graph.nodes, ops::reads_or_makes_codes); }

/// What a graph is compiled for: of kInt8 the quantized layers are as their nodes say, and the others float32. Throws
/// Error(kUsage) where the graph has no such nodes.
inline Precision compiler_precision(const ir::Graph& graph, Precision precision, const std::string& source) {
  if (precision != Precision::kInt8) return precision;
  if (!is_quantized(graph))
    fail(ErrorCode::kUsage,
         "{}{}a float32 model becomes int8 with images that tell the ranges of its maps: make it one with "
         "'effdet quantize'",
         source, source.empty() ? "" : ": ");
  return Precision::kFloat32;
}

/// For files that are compiled when they are opened: those run on the processor alone, and have metadata or the options
/// that stand for them. Throws Error(kUsage).
inline void refuse_options_of_compiled(const ModelOptions& options, const std::string& source) {
  if (!options.device.empty() && options.device != ops::kCpuTarget.name)
    fail(ErrorCode::kUsage, "{}: device {} runs compiled models; compile it first (atc)", source, options.device);
  if (!options.metadata.empty())
    fail(ErrorCode::kUsage, "{}: --metadata is for compiled models; leave the flag out", source);
}

}  // namespace api
}  // namespace effdet
