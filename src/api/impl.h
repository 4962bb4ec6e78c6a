// What the public classes hold.
#pragma once

#include <string>

#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "ir/graph.h"
#include "runtime/compiled_model_impl.h"

namespace effdet {

struct OnnxModel::Impl {
  ir::Graph graph;
  std::string source;  ///< the file it was read from; "" for none
};

namespace api {

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
