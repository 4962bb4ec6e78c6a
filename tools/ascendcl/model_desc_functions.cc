// The description functions of the interface.
#include <algorithm>
#include <cstring>

#include "kernels/ascend/functions.h"
#include "model.h"
#include "model_desc.h"

namespace effdet::acl {
namespace {

/// What stands for a name that does not fit.
std::string replaced_name(const ModelDesc& desc, bool is_input, size_t index) {
  return fmt::format("acl_modelId_{}_{}_{}", desc.model_id, is_input ? "input" : "output", index);
}

std::string shown_name(const ModelDesc& desc, bool is_input, size_t index) {
  const std::string& name = (is_input ? desc.inputs : desc.outputs)[index].name;
  return name.size() < kMaxNameBytes ? name : replaced_name(desc, is_input, index);
}

const TensorOfModel& tensor_at(const std::vector<TensorOfModel>& tensors, size_t index) {
  require(index < tensors.size(), kInvalidParam, "tensor {} of {}", index, tensors.size());
  return tensors[index];
}

void write_dims(const std::string& name, const std::vector<int64_t>& dims, aclmdlIODims& out) {
  std::memcpy(out.name, name.c_str(), name.size() + 1);
  out.dimCount = dims.size();
  std::ranges::copy(dims, out.dims);
}

template <typename T, typename Get>
T get(const char* function, const aclmdlDesc* desc, T otherwise, Get&& of) {
  return answer_or<T>(function, otherwise, [&] { return of(*model_descs().get(desc)); });
}

aclError get_dims(const char* function, const aclmdlDesc* handle, bool is_input, size_t index, aclmdlIODims* dims) {
  return answer(function, [&] {
    const auto desc = model_descs().get(handle);
    aclmdlIODims& out = need(dims, "dims");
    const TensorOfModel& tensor = tensor_at(is_input ? desc->inputs : desc->outputs, index);
    write_dims(shown_name(*desc, is_input, index), tensor.dims, out);
  });
}

aclError find_index(const char* function, const aclmdlDesc* handle, bool is_input, const char* name, size_t* index) {
  return answer(function, [&] {
    const auto desc = model_descs().get(handle);
    need(name, "name");
    size_t& out = need(index, "index");
    const auto& tensors = is_input ? desc->inputs : desc->outputs;
    for (size_t i = 0; i < tensors.size(); ++i)
      if (tensors[i].name == name || shown_name(*desc, is_input, i) == name) {
        out = i;
        return;
      }
    fail(kInvalidParam, "the model has no {} '{}'", is_input ? "input" : "output", name);
  });
}

void require_all_inputs(size_t index) {
  require(index == static_cast<size_t>(-1), kInvalidParam, "index = {}: it is -1, for all inputs", index);
}

/// What a function writes of a model into a description that exists.
template <typename Describe>
aclError fill(const char* function, aclmdlDesc* handle, Describe&& how) {
  return answer(function, [&] {
    model_descs().get(handle);  // before the work
    model_descs().replace(handle, std::make_shared<ModelDesc>(how()));
  });
}

}  // namespace

ACL_EXPORT aclmdlDesc* aclmdlCreateDesc() {
  return answer_or<aclmdlDesc*>("aclmdlCreateDesc", nullptr, [] {
    return static_cast<aclmdlDesc*>(model_descs().add(std::make_shared<ModelDesc>()));
  });
}
ACL_EXPORT aclError aclmdlDestroyDesc(aclmdlDesc* desc) {
  return answer("aclmdlDestroyDesc", [&] { model_descs().remove(desc); });
}
ACL_EXPORT aclError aclmdlGetDesc(aclmdlDesc* desc, uint32_t id) {
  return fill("aclmdlGetDesc", desc, [&] { return model_of(id)->desc; });
}
ACL_EXPORT aclError aclmdlGetDescFromFile(aclmdlDesc* desc, const char* path) {
  return fill("aclmdlGetDescFromFile", desc, [&] { return describe(open_model(path), 0); });
}
ACL_EXPORT aclError aclmdlGetDescFromMem(aclmdlDesc* desc, const void* model, size_t bytes) {
  return fill("aclmdlGetDescFromMem", desc, [&] { return describe(open_model(model, bytes), 0); });
}

ACL_EXPORT size_t aclmdlGetNumInputs(aclmdlDesc* desc) {
  return get("aclmdlGetNumInputs", desc, size_t{0}, [](const ModelDesc& d) { return d.inputs.size(); });
}
ACL_EXPORT size_t aclmdlGetNumOutputs(aclmdlDesc* desc) {
  return get("aclmdlGetNumOutputs", desc, size_t{0}, [](const ModelDesc& d) { return d.outputs.size(); });
}
ACL_EXPORT size_t aclmdlGetInputSizeByIndex(aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetInputSizeByIndex", desc, size_t{0},
             [&](const ModelDesc& d) { return tensor_at(d.inputs, index).bytes; });
}
ACL_EXPORT size_t aclmdlGetOutputSizeByIndex(aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetOutputSizeByIndex", desc, size_t{0},
             [&](const ModelDesc& d) { return tensor_at(d.outputs, index).bytes; });
}
ACL_EXPORT const char* aclmdlGetInputNameByIndex(const aclmdlDesc* desc, size_t index) {
  return get<const char*>("aclmdlGetInputNameByIndex", desc, "",
                          [&](const ModelDesc& d) { return tensor_at(d.inputs, index).name.c_str(); });
}
ACL_EXPORT const char* aclmdlGetOutputNameByIndex(const aclmdlDesc* desc, size_t index) {
  return get<const char*>("aclmdlGetOutputNameByIndex", desc, "",
                          [&](const ModelDesc& d) { return tensor_at(d.outputs, index).name.c_str(); });
}
ACL_EXPORT aclFormat aclmdlGetInputFormat(const aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetInputFormat", desc, ACL_FORMAT_UNDEFINED,
             [&](const ModelDesc& d) { return tensor_at(d.inputs, index).format; });
}
ACL_EXPORT aclFormat aclmdlGetOutputFormat(const aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetOutputFormat", desc, ACL_FORMAT_UNDEFINED,
             [&](const ModelDesc& d) { return tensor_at(d.outputs, index).format; });
}
ACL_EXPORT aclDataType aclmdlGetInputDataType(const aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetInputDataType", desc, ACL_DT_UNDEFINED,
             [&](const ModelDesc& d) { return tensor_at(d.inputs, index).type; });
}
ACL_EXPORT aclDataType aclmdlGetOutputDataType(const aclmdlDesc* desc, size_t index) {
  return get("aclmdlGetOutputDataType", desc, ACL_DT_UNDEFINED,
             [&](const ModelDesc& d) { return tensor_at(d.outputs, index).type; });
}

ACL_EXPORT aclError aclmdlGetInputDims(const aclmdlDesc* desc, size_t index, aclmdlIODims* dims) {
  return get_dims("aclmdlGetInputDims", desc, true, index, dims);
}
/// Of a model with preprocessing inside, the first version gives the network's input there, the second the image's.
ACL_EXPORT aclError aclmdlGetInputDimsV2(const aclmdlDesc* desc, size_t index, aclmdlIODims* dims) {
  return get_dims("aclmdlGetInputDimsV2", desc, true, index, dims);
}
ACL_EXPORT aclError aclmdlGetInputDimsRange(const aclmdlDesc* handle, size_t index, aclmdlIODimsRange* range) {
  return answer("aclmdlGetInputDimsRange", [&] {
    const auto desc = model_descs().get(handle);
    aclmdlIODimsRange& out = need(range, "dimsRange");
    const TensorOfModel& tensor = tensor_at(desc->inputs, index);
    out.rangeCount = desc->gears == Gears::kNone ? tensor.dims.size() : 0;
    for (size_t i = 0; i < out.rangeCount; ++i) out.range[i][0] = out.range[i][1] = tensor.dims[i];
  });
}
ACL_EXPORT aclError aclmdlGetOutputDims(const aclmdlDesc* desc, size_t index, aclmdlIODims* dims) {
  return get_dims("aclmdlGetOutputDims", desc, false, index, dims);
}
ACL_EXPORT aclError aclmdlGetCurOutputDims(const aclmdlDesc* handle, size_t index, aclmdlIODims* dims) {
  return answer("aclmdlGetCurOutputDims", [&] {
    const auto desc = model_descs().get(handle);
    aclmdlIODims& out = need(dims, "dims");
    const TensorOfModel& tensor = tensor_at(desc->outputs, index);
    const std::optional<size_t> plan = model_of(desc->model_id)->chosen_plan();
    write_dims(shown_name(*desc, false, index), plan ? desc->output_dims[*plan][index] : tensor.dims, out);
  });
}

ACL_EXPORT aclError aclmdlGetInputIndexByName(const aclmdlDesc* desc, const char* name, size_t* index) {
  return find_index("aclmdlGetInputIndexByName", desc, true, name, index);
}
ACL_EXPORT aclError aclmdlGetOutputIndexByName(const aclmdlDesc* desc, const char* name, size_t* index) {
  return find_index("aclmdlGetOutputIndexByName", desc, false, name, index);
}
ACL_EXPORT const char* aclmdlGetTensorRealName(const aclmdlDesc* handle, const char* name) {
  return get<const char*>("aclmdlGetTensorRealName", handle, nullptr, [&](const ModelDesc& desc) {
    need(name, "name");
    for (const bool is_input : {true, false}) {
      const auto& tensors = is_input ? desc.inputs : desc.outputs;
      for (size_t i = 0; i < tensors.size(); ++i)
        if (tensors[i].name == name || replaced_name(desc, is_input, i) == name) return tensors[i].name.c_str();
    }
    fail(kInvalidParam, "the model has no tensor '{}'", name);
  });
}

ACL_EXPORT aclError aclmdlGetDynamicBatch(const aclmdlDesc* handle, aclmdlBatch* batch) {
  return answer("aclmdlGetDynamicBatch", [&] {
    const auto desc = model_descs().get(handle);
    aclmdlBatch& out = need(batch, "batch");
    out.batchCount = desc->gears == Gears::kBatch ? desc->gear_values.size() : 0;
    require(out.batchCount <= kMaxGears, kStorageOverLimit, "{} batch sizes", out.batchCount);
    for (size_t i = 0; i < out.batchCount; ++i) out.batch[i] = static_cast<uint64_t>(desc->gear_values[i][0]);
  });
}
ACL_EXPORT aclError aclmdlGetDynamicHW(const aclmdlDesc* handle, size_t index, aclmdlHW* sizes) {
  return answer("aclmdlGetDynamicHW", [&] {
    const auto desc = model_descs().get(handle);
    require_all_inputs(index);
    aclmdlHW& out = need(sizes, "hw");
    out.hwCount = desc->gears == Gears::kHeightWidth ? desc->gear_values.size() : 0;
    require(out.hwCount <= kMaxGears, kStorageOverLimit, "{} sizes", out.hwCount);
    for (size_t i = 0; i < out.hwCount; ++i)
      for (size_t k = 0; k < 2; ++k) out.hw[i][k] = static_cast<uint64_t>(desc->gear_values[i][k]);
  });
}
ACL_EXPORT aclError aclmdlGetInputDynamicGearCount(const aclmdlDesc* handle, size_t index, size_t* count) {
  return answer("aclmdlGetInputDynamicGearCount", [&] {
    const auto desc = model_descs().get(handle);
    require_all_inputs(index);
    need(count, "gearCount") = desc->gears == Gears::kDims ? desc->gear_values.size() : 0;
  });
}
ACL_EXPORT aclError aclmdlGetInputDynamicDims(const aclmdlDesc* handle, size_t index, aclmdlIODims* dims,
                                              size_t count) {
  return answer("aclmdlGetInputDynamicDims", [&] {
    const auto desc = model_descs().get(handle);
    require_all_inputs(index);
    need(dims, "dims");
    const size_t gears = desc->gears == Gears::kDims ? desc->gear_values.size() : 0;
    require(count >= gears, kInvalidParam, "gearCount = {} is below the {} of the model", count, gears);
    for (size_t i = 0; i < gears; ++i) {
      require(desc->input_dims[i].size() <= kMaxDims, kStorageOverLimit, "{} dimensions", desc->input_dims[i].size());
      write_dims("", desc->input_dims[i], dims[i]);
    }
  });
}

}  // namespace effdet::acl
