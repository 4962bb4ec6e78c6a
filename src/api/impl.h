// What the public classes hold.
#pragma once

#include <algorithm>
#include <string>

#include "base/error.h"
#include "effdet/onnx_model.h"
#include "ir/graph.h"
#include "ops/quantized_nodes.h"
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
         "{}{}a float32 model becomes int8 with images that tell the ranges of its maps: 'effdet quantize', or "
         "--calibration beside --precision int8",
         source, source.empty() ? "" : ": ");
  return Precision::kFloat32;
}

/// Calls f; the message of an error in what the file holds names the file, where it does not yet. Graphs know nodes,
/// but not where they come from.
template <typename F>
auto name_source(const std::string& source, F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    const std::string message = error.what();
    const bool of_content = error.code() == ErrorCode::kBadInput || error.code() == ErrorCode::kUnsupported ||
                            error.code() == ErrorCode::kOutOfMemory;
    if (source.empty() || !of_content || message.starts_with(source)) throw;
    throw Error(error.code(), source + ": " + message);
  }
}

}  // namespace api
}  // namespace effdet
