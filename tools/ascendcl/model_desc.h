// What programs may ask of a model: its tensors, and the shapes that it was compiled for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "effdet/compiled_model.h"
#include "handles.h"

namespace effdet::acl {

struct TensorOfModel {
  std::string name;
  aclDataType type = ACL_DT_UNDEFINED;
  aclFormat format = ACL_FORMAT_ND;
  std::vector<int64_t> dims;  ///< -1 where plans differ, of inputs; of outputs those of the largest plan
  size_t bytes = 0;           ///< of the largest plan
};

/// What the plans of a model differ in: nothing, the images of a batch, height and width, or any dimensions.
enum class Gears : uint8_t { kNone, kBatch, kHeightWidth, kDims };

struct ModelDesc {
  uint32_t model_id = 0;
  std::vector<TensorOfModel> inputs;  ///< with kDynamicTensorName as the last one where there are gears
  std::vector<TensorOfModel> outputs;
  Gears gears = Gears::kNone;
  std::vector<std::vector<int64_t>> gear_values;               ///< of each plan: what the open dimensions are
  std::vector<std::vector<int64_t>> input_dims;                ///< of each plan: of all inputs, one after the other
  std::vector<std::vector<std::vector<int64_t>>> output_dims;  ///< by plan and output

  /// The index of kDynamicTensorName, or the number of inputs.
  size_t dynamic_index() const { return gears == Gears::kNone ? inputs.size() : inputs.size() - 1; }
};

/// Throws Failure(kGeLoadModel) for a model whose tensors cannot be told to programs.
ModelDesc describe(const CompiledModel& model, uint32_t model_id);

Handles<ModelDesc>& model_descs();

}  // namespace effdet::acl
