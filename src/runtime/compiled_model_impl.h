// What a CompiledModel holds, for the layers that implement public functions on it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "effdet/compiled_model.h"
#include "runtime/engine.h"

namespace effdet {

struct CompiledModel::Impl {
  std::vector<std::shared_ptr<const runtime::Engine>> plans;  ///< at least one

  /// Chooses kernels for each program. Throws as Engine does.
  explicit Impl(std::vector<artifact::Program> programs) : plans(runtime::make_engines(std::move(programs))) {}
  explicit Impl(std::shared_ptr<const runtime::Engine> plan) : plans{std::move(plan)} {}

  const std::shared_ptr<const runtime::Engine>& engine() const { return plans.front(); }
};

/// From a model to its engines, and back.
struct EngineAccess {
  static const std::vector<std::shared_ptr<const runtime::Engine>>& plans(const CompiledModel& model) {
    return model.impl_->plans;
  }
  static const std::shared_ptr<const runtime::Engine>& first(const CompiledModel& model) {
    return model.impl_->engine();
  }
  static CompiledModel model_of(std::shared_ptr<const runtime::Engine> plan) {
    return CompiledModel(std::make_shared<CompiledModel::Impl>(std::move(plan)));
  }
};

}  // namespace effdet
