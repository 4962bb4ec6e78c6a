// Which of its plans a model with several shapes is to run next.
#include <algorithm>
#include <cstring>

#include "dataset.h"
#include "device_memory.h"
#include "kernels/ascend/functions.h"
#include "library.h"
#include "model.h"

namespace effdet::acl {
namespace {

/// values: of the open dimensions, as gear_values; or of all dimensions, as input_dims, for Gears::kDims.
void choose(uint32_t id, aclmdlDataset* handle, size_t index, Gears kind, const std::vector<int64_t>& values) {
  require_initialized();
  const std::shared_ptr<Dataset> dataset = datasets().get(handle);
  const std::lock_guard lock(dataset->mutex);
  const void* handle_of_buffer = dataset->entry(index).buffer;
  const std::shared_ptr<Model> model = model_of(id);
  const ModelDesc& desc = model->desc;
  require(desc.gears == kind && index == desc.dynamic_index(), kGeDynamicBatchSizeInvalid,
          "input {} of model {} does not choose between shapes of this kind", index, id);
  const auto& choices = kind == Gears::kDims ? desc.input_dims : desc.gear_values;
  const auto found = std::ranges::find(choices, values);
  require(found != choices.end(), kGeDynamicBatchSizeInvalid, "model {} has no shape {}", id, fmt::join(values, ","));

  const std::shared_ptr<DataBuffer> buffer = data_buffers().get(handle_of_buffer);
  const std::lock_guard buffer_lock(buffer->mutex);
  require(buffer->address != nullptr, kInvalidParam, "buffer {} has no memory", index);
  const auto plan = static_cast<size_t>(found - choices.begin());
  const std::vector<int64_t>& shown = desc.gear_values[plan];
  const size_t bytes = shown.size() * sizeof(int32_t);
  require(buffer->bytes >= bytes, kGeDynamicInputLengthInvalid, "buffer {} has {} bytes, not {}", index, buffer->bytes,
          bytes);
  const Place place = DeviceMemory::instance().at(buffer->address, bytes, "the buffer");
  for (size_t i = 0; i < shown.size(); ++i) {
    const auto value = static_cast<int32_t>(shown[i]);
    std::memcpy(place.data + (i * sizeof value), &value, sizeof value);
  }
  dataset->plan = Dataset::Choice{id, plan};
  model->choose_plan(plan);
}

}  // namespace

ACL_EXPORT aclError aclmdlSetDynamicBatchSize(uint32_t id, aclmdlDataset* dataset, size_t index, uint64_t batch) {
  return answer("aclmdlSetDynamicBatchSize", [&] {
    require(batch > 0, kInvalidParam, "batchSize is 0");
    choose(id, dataset, index, Gears::kBatch, {static_cast<int64_t>(batch)});
  });
}
ACL_EXPORT aclError aclmdlSetDynamicHWSize(uint32_t id, aclmdlDataset* dataset, size_t index, uint64_t height,
                                           uint64_t width) {
  return answer("aclmdlSetDynamicHWSize", [&] {
    require(height > 0 && width > 0, kInvalidParam, "{} x {} has no pixels", height, width);
    choose(id, dataset, index, Gears::kHeightWidth, {static_cast<int64_t>(height), static_cast<int64_t>(width)});
  });
}
ACL_EXPORT aclError aclmdlSetInputDynamicDims(uint32_t id, aclmdlDataset* dataset, size_t index,
                                              const aclmdlIODims* dims) {
  return answer("aclmdlSetInputDynamicDims", [&] {
    const size_t count = need(dims, "dims").dimCount;
    require(count > 0 && count <= kMaxDims, kInvalidParam, "dimCount = {}", count);
    choose(id, dataset, index, Gears::kDims, {dims->dims, dims->dims + count});
  });
}

}  // namespace effdet::acl
