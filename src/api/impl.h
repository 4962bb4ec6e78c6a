// What stands behind the public classes.
#pragma once

#include <memory>

#include "effdet/compiled_model.h"
#include "effdet/onnx_model.h"
#include "ir/graph.h"
#include "runtime/engine.h"

namespace effdet {

struct OnnxModel::Impl {
  ir::Graph graph;
};

struct CompiledModel::Impl {
  std::vector<std::shared_ptr<const Engine>> plans;  ///< at least one

  /// Chooses kernels for each.
  explicit Impl(std::vector<Program> programs);
  explicit Impl(std::shared_ptr<const Engine> plan) : plans{std::move(plan)} {}
  const std::shared_ptr<const Engine>& engine() const { return plans.front(); }
};

/// The graphs behind public objects, for functions that are no members.
struct GraphAccess {
  static const ir::Graph& of(const OnnxModel& model) { return model.impl_->graph; }
  static const ir::Graph& of(const CompiledModel& model) { return model.impl_->engine()->program().graph; }
};

namespace api {

TensorInfo tensor_info(const ir::Value& value);
std::vector<TensorInfo> tensor_infos(std::span<const ir::Value> values);
std::vector<TensorInfo> tensor_infos(const ir::Graph& graph, const std::vector<ir::ValueId>& ids);

}  // namespace api
}  // namespace effdet
