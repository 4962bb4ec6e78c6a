// What a CompiledModel holds, for the layers that implement public functions on it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "effdet/compiled_model.h"
#include "runtime/engine.h"

namespace effdet {

struct CompiledModel::Impl {
  std::vector<std::shared_ptr<const runtime::Engine>> plans;  ///< at least one
  std::string source;                                         ///< the file it was made from; "" for none

  /// Chooses kernels for each program. Throws as Engine does.
  Impl(std::vector<artifact::Program> programs, std::string file)
      : plans(runtime::make_engines(std::move(programs))), source(std::move(file)) {}
  Impl(std::shared_ptr<const runtime::Engine> plan, std::string file)
      : plans{std::move(plan)}, source(std::move(file)) {}

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
  static const std::string& source(const CompiledModel& model) { return model.impl_->source; }
  static CompiledModel model_of(std::shared_ptr<const runtime::Engine> plan) {
    return CompiledModel(std::make_shared<CompiledModel::Impl>(std::move(plan), ""));
  }
};

}  // namespace effdet
