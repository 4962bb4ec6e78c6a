// From a compiled model to its description.
#include "model_desc.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

aclDataType type_of(std::string_view numpy_name) {
  static const std::map<std::string_view, aclDataType> types = {
      {"float32", ACL_FLOAT}, {"float16", ACL_FLOAT16}, {"bfloat16", ACL_BF16}, {"float64", ACL_DOUBLE},
      {"int8", ACL_INT8},     {"uint8", ACL_UINT8},     {"int16", ACL_INT16},   {"uint16", ACL_UINT16},
      {"int32", ACL_INT32},   {"uint32", ACL_UINT32},   {"int64", ACL_INT64},   {"uint64", ACL_UINT64},
      {"bool", ACL_BOOL}};
  const auto found = types.find(numpy_name);
  require(found != types.end(), kGeLoadModel, "a tensor of type {} has no name in AscendCL", numpy_name);
  return found->second;
}

TensorOfModel tensor_of(const TensorInfo& info, aclFormat format) {
  TensorOfModel tensor{info.name, type_of(info.dtype), format, info.shape, aclDataTypeSize(type_of(info.dtype))};
  require(info.shape.size() <= kMaxDims, kGeLoadModel, "tensor '{}' has {} dimensions", info.name, info.shape.size());
  for (const int64_t dim : info.shape)
    require(dim >= 0 && !__builtin_mul_overflow(tensor.bytes, static_cast<size_t>(dim), &tensor.bytes), kGeLoadModel,
            "tensor '{}' is too large", info.name);
  return tensor;
}

std::vector<int64_t> dims_of_all(const std::vector<TensorInfo>& tensors) {
  std::vector<int64_t> dims;
  for (const TensorInfo& tensor : tensors) dims.insert(dims.end(), tensor.shape.begin(), tensor.shape.end());
  return dims;
}

/// Which of the inputs' dimensions, counted through all inputs, differ between plans.
std::vector<size_t> open_dims(const std::vector<std::vector<int64_t>>& plans) {
  std::vector<size_t> open;
  for (size_t i = 0; i < plans[0].size(); ++i)
    if (std::ranges::any_of(plans, [&](const auto& dims) { return dims[i] != plans[0][i]; })) open.push_back(i);
  return open;
}

/// kBatch where the open dimensions are the first of each input and equal; kHeightWidth where they are the two of one
/// image input.
Gears kind_of(const ModelDesc& desc, const std::vector<size_t>& open) {
  std::vector<size_t> first;
  size_t offset = 0;
  for (const TensorOfModel& input : desc.inputs) {
    first.push_back(offset);
    offset += input.dims.size();
  }
  if (open == first && std::ranges::all_of(desc.input_dims, [&](const std::vector<int64_t>& dims) {
        return std::ranges::all_of(open, [&](size_t i) { return dims[i] == dims[open[0]]; });
      }))
    return Gears::kBatch;
  if (desc.inputs.size() == 1 && desc.inputs[0].dims.size() == 4) {
    const size_t height = desc.inputs[0].format == ACL_FORMAT_NHWC ? 1 : 2;
    if (!open.empty() && std::ranges::all_of(open, [&](size_t i) { return i == height || i == height + 1; }))
      return Gears::kHeightWidth;
  }
  return Gears::kDims;
}

void add_gears(ModelDesc& desc) {
  const std::vector<size_t> open = open_dims(desc.input_dims);
  desc.gears = kind_of(desc, open);
  std::vector<size_t> shown = open;
  if (desc.gears == Gears::kBatch) shown = {open[0]};
  if (desc.gears == Gears::kHeightWidth) {
    const size_t height = desc.inputs[0].format == ACL_FORMAT_NHWC ? 1 : 2;
    shown = {height, height + 1};
  }
  for (const auto& dims : desc.input_dims) {
    std::vector<int64_t>& values = desc.gear_values.emplace_back();
    for (const size_t i : shown) values.push_back(dims[i]);
  }
  size_t offset = 0;
  for (TensorOfModel& input : desc.inputs)
    for (int64_t& dim : input.dims)
      if (std::ranges::find(desc.gears == Gears::kHeightWidth ? shown : open, offset++) !=
          (desc.gears == Gears::kHeightWidth ? shown : open).end())
        dim = -1;
  const auto count = static_cast<int64_t>(shown.size());
  desc.inputs.push_back({kDynamicTensorName, ACL_INT32, ACL_FORMAT_ND, {count}, shown.size() * sizeof(int32_t)});
}

}  // namespace

ModelDesc describe(const CompiledModel& model, uint32_t model_id) {
  ModelDesc desc;
  desc.model_id = model_id;
  const bool takes_images = model.aipp().has_value();
  const auto format = [&](const TensorInfo& info, bool is_input) {
    if (info.shape.size() != 4) return ACL_FORMAT_ND;
    return is_input && takes_images ? ACL_FORMAT_NHWC : ACL_FORMAT_NCHW;
  };
  for (size_t plan = 0; plan < model.plan_count(); ++plan) {
    const CompiledModel one = model.plan(plan);
    const std::vector<TensorInfo> inputs = one.inputs(), outputs = one.outputs();
    desc.input_dims.push_back(dims_of_all(inputs));
    auto& of_outputs = desc.output_dims.emplace_back();
    const auto take = [&](const std::vector<TensorInfo>& infos, std::vector<TensorOfModel>& list, bool is_input) {
      for (size_t i = 0; i < infos.size(); ++i) {
        TensorOfModel tensor = tensor_of(infos[i], format(infos[i], is_input));
        if (plan == 0)
          list.push_back(tensor);
        else if (tensor.bytes > list.at(i).bytes)
          list[i] = tensor;
        if (!is_input) of_outputs.push_back(infos[i].shape);
      }
    };
    take(inputs, desc.inputs, true);
    take(outputs, desc.outputs, false);
  }
  if (model.plan_count() > 1) add_gears(desc);
  return desc;
}

Handles<ModelDesc>& model_descs() {
  static auto& kept = *new Handles<ModelDesc>(5, "model description", kInvalidParam);
  return kept;
}

}  // namespace effdet::acl
