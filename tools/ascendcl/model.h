// Models that programs have loaded.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "context.h"
#include "effdet/compiled_model.h"
#include "model_desc.h"

namespace effdet::acl {

/// A loaded model runs in the context that it was loaded in, for one caller at a time.
struct Model {
  Model(CompiledModel compiled, uint32_t id, std::shared_ptr<Context> in);

  /// The plan that a program chose last for a model with several; nothing before.
  std::optional<size_t> chosen_plan();
  void choose_plan(size_t plan);

  const CompiledModel model;
  const ModelDesc desc;
  const std::shared_ptr<Context> context;
  const std::shared_ptr<void> memory;  ///< weights and maps, as counted for the device
  std::mutex running;                  ///< held during a run, with what follows
  Runner runner;
  std::vector<std::span<const std::byte>> inputs;  ///< room for a run's tensors
  std::vector<std::span<std::byte>> outputs;

 private:
  std::mutex mutex_;
  std::optional<size_t> plan_;
};

/// Throws Failure(kGeExecModelIdInvalid).
std::shared_ptr<Model> model_of(uint32_t id);

/// Throw Failure(kInvalidParam) for null and what CompiledModel::load() throws.
CompiledModel open_model(const char* path);
CompiledModel open_model(const void* model, size_t bytes);

}  // namespace effdet::acl
