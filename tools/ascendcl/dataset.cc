// The buffer and data set functions of the interface.
#include "dataset.h"

#include "kernels/ascend/functions.h"
#include "tensor_desc.h"

namespace effdet::acl {

Handles<DataBuffer>& data_buffers() {
  static auto& kept = *new Handles<DataBuffer>(6, "data buffer", kInvalidParam);
  return kept;
}
Handles<Dataset>& datasets() {
  static auto& kept = *new Handles<Dataset>(7, "data set", kInvalidParam);
  return kept;
}

Dataset::Entry& Dataset::entry(size_t index) {
  require(index < entries.size(), kInvalidParam, "buffer {} of {}", index, entries.size());
  return entries[index];
}

ACL_EXPORT aclDataBuffer* aclCreateDataBuffer(void* data, size_t size) {
  return answer_or<aclDataBuffer*>("aclCreateDataBuffer", nullptr, [&] {
    auto buffer = std::make_shared<DataBuffer>();
    buffer->address = data;
    buffer->bytes = size;
    return static_cast<aclDataBuffer*>(data_buffers().add(std::move(buffer)));
  });
}
ACL_EXPORT aclError aclDestroyDataBuffer(const aclDataBuffer* buffer) {
  return answer("aclDestroyDataBuffer", [&] { data_buffers().remove(buffer); });
}
ACL_EXPORT aclError aclUpdateDataBuffer(aclDataBuffer* handle, void* data, size_t size) {
  return answer("aclUpdateDataBuffer", [&] {
    const auto buffer = data_buffers().get(handle);
    const std::lock_guard lock(buffer->mutex);
    buffer->address = data;
    buffer->bytes = size;
  });
}
ACL_EXPORT void* aclGetDataBufferAddr(const aclDataBuffer* handle) {
  return answer_or<void*>("aclGetDataBufferAddr", nullptr, [&] {
    const auto buffer = data_buffers().get(handle);
    const std::lock_guard lock(buffer->mutex);
    return buffer->address;
  });
}
ACL_EXPORT size_t aclGetDataBufferSizeV2(const aclDataBuffer* handle) {
  return answer_or<size_t>("aclGetDataBufferSizeV2", 0, [&] {
    const auto buffer = data_buffers().get(handle);
    const std::lock_guard lock(buffer->mutex);
    return buffer->bytes;
  });
}
ACL_EXPORT uint32_t aclGetDataBufferSize(const aclDataBuffer* buffer) {
  return static_cast<uint32_t>(aclGetDataBufferSizeV2(buffer));
}

ACL_EXPORT aclmdlDataset* aclmdlCreateDataset() {
  return answer_or<aclmdlDataset*>("aclmdlCreateDataset", nullptr, [] {
    return static_cast<aclmdlDataset*>(datasets().add(std::make_shared<Dataset>()));
  });
}
ACL_EXPORT aclError aclmdlDestroyDataset(const aclmdlDataset* dataset) {
  return answer("aclmdlDestroyDataset", [&] { datasets().remove(dataset); });
}
ACL_EXPORT aclError aclmdlAddDatasetBuffer(aclmdlDataset* handle, aclDataBuffer* buffer) {
  return answer("aclmdlAddDatasetBuffer", [&] {
    const auto dataset = datasets().get(handle);
    data_buffers().get(buffer);
    const std::lock_guard lock(dataset->mutex);
    dataset->entries.push_back({buffer, nullptr});
  });
}
ACL_EXPORT size_t aclmdlGetDatasetNumBuffers(const aclmdlDataset* handle) {
  return answer_or<size_t>("aclmdlGetDatasetNumBuffers", 0, [&] {
    const auto dataset = datasets().get(handle);
    const std::lock_guard lock(dataset->mutex);
    return dataset->entries.size();
  });
}
ACL_EXPORT aclDataBuffer* aclmdlGetDatasetBuffer(const aclmdlDataset* handle, size_t index) {
  return answer_or<aclDataBuffer*>("aclmdlGetDatasetBuffer", nullptr, [&] {
    const auto dataset = datasets().get(handle);
    const std::lock_guard lock(dataset->mutex);
    return static_cast<aclDataBuffer*>(dataset->entry(index).buffer);
  });
}
ACL_EXPORT aclError aclmdlSetDatasetTensorDesc(aclmdlDataset* handle, aclTensorDesc* desc, size_t index) {
  return answer("aclmdlSetDatasetTensorDesc", [&] {
    const auto dataset = datasets().get(handle);
    if (desc != nullptr) tensor_descs().get(desc);
    const std::lock_guard lock(dataset->mutex);
    dataset->entry(index).tensor_desc = desc;
  });
}
ACL_EXPORT aclTensorDesc* aclmdlGetDatasetTensorDesc(const aclmdlDataset* handle, size_t index) {
  return answer_or<aclTensorDesc*>("aclmdlGetDatasetTensorDesc", nullptr, [&] {
    const auto dataset = datasets().get(handle);
    const std::lock_guard lock(dataset->mutex);
    return static_cast<aclTensorDesc*>(dataset->entry(index).tensor_desc);
  });
}

}  // namespace effdet::acl
