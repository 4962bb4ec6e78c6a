// The tensor functions of the interface.
#include "tensor_desc.h"

#include "kernels/ascend/functions.h"

namespace effdet::acl {
namespace {

std::vector<int64_t> copy_dims(int count, const int64_t* dims) {
  require(count >= 0 && static_cast<size_t>(count) <= kMaxDims, kInvalidParam, "numDims = {} is not 0 to {}", count,
          kMaxDims);
  if (count > 0) need(dims, "dims");
  return {dims, dims + count};
}

/// 0 for sizes that are unknown or too large.
size_t elements_of(const TensorDesc& desc) {
  size_t count = 1;
  for (const int64_t dim : desc.dims)
    if (dim < 0 || __builtin_mul_overflow(count, static_cast<size_t>(dim), &count)) return 0;
  return count;
}

template <typename T, typename Get>
T get(const char* function, const aclTensorDesc* handle, T otherwise, Get&& of) {
  return answer_or<T>(function, otherwise, [&] { return of(*tensor_descs().get(handle)); });
}

template <typename Change>
aclError change(const char* function, aclTensorDesc* handle, Change&& how) {
  return answer(function, [&] { how(*tensor_descs().get(handle)); });
}

}  // namespace

Handles<TensorDesc>& tensor_descs() {
  static auto& kept = *new Handles<TensorDesc>(4, "tensor description", kInvalidParam);
  return kept;
}

ACL_EXPORT aclTensorDesc* aclCreateTensorDesc(aclDataType type, int count, const int64_t* dims, aclFormat format) {
  return answer_or<aclTensorDesc*>("aclCreateTensorDesc", nullptr, [&] {
    auto desc = std::make_shared<TensorDesc>(TensorDesc{type, format, copy_dims(count, dims), ""});
    return static_cast<aclTensorDesc*>(tensor_descs().add(std::move(desc)));
  });
}

ACL_EXPORT void aclDestroyTensorDesc(const aclTensorDesc* desc) {
  answer("aclDestroyTensorDesc", [&] { tensor_descs().remove(desc); });
}

ACL_EXPORT aclDataType aclGetTensorDescType(const aclTensorDesc* desc) {
  return get("aclGetTensorDescType", desc, ACL_DT_UNDEFINED, [](const TensorDesc& d) { return d.type; });
}
ACL_EXPORT aclFormat aclGetTensorDescFormat(const aclTensorDesc* desc) {
  return get("aclGetTensorDescFormat", desc, ACL_FORMAT_UNDEFINED, [](const TensorDesc& d) { return d.format; });
}
ACL_EXPORT size_t aclGetTensorDescElementCount(const aclTensorDesc* desc) {
  return get("aclGetTensorDescElementCount", desc, size_t{0}, elements_of);
}
ACL_EXPORT size_t aclGetTensorDescSize(const aclTensorDesc* desc) {
  return get("aclGetTensorDescSize", desc, size_t{0}, [](const TensorDesc& d) {
    size_t bytes = 0;
    return __builtin_mul_overflow(elements_of(d), aclDataTypeSize(d.type), &bytes) ? 0 : bytes;
  });
}
ACL_EXPORT size_t aclGetTensorDescNumDims(const aclTensorDesc* desc) {
  return get("aclGetTensorDescNumDims", desc, size_t{0}, [](const TensorDesc& d) { return d.dims.size(); });
}
ACL_EXPORT int64_t aclGetTensorDescDim(const aclTensorDesc* desc, size_t index) {
  return get("aclGetTensorDescDim", desc, int64_t{-1},
             [&](const TensorDesc& d) { return index < d.dims.size() ? d.dims[index] : -1; });
}
ACL_EXPORT aclError aclGetTensorDescDimV2(const aclTensorDesc* desc, size_t index, int64_t* dim) {
  return answer("aclGetTensorDescDimV2", [&] {
    int64_t& out = need(dim, "dimSize");
    const auto d = tensor_descs().get(desc);
    require(index < d->dims.size(), kInvalidParam, "dimension {} of {}", index, d->dims.size());
    out = d->dims[index];
  });
}
ACL_EXPORT void aclSetTensorDescName(aclTensorDesc* desc, const char* name) {
  change("aclSetTensorDescName", desc, [&](TensorDesc& d) { d.name = name != nullptr ? name : ""; });
}
ACL_EXPORT const char* aclGetTensorDescName(aclTensorDesc* desc) {
  return get<const char*>("aclGetTensorDescName", desc, "", [](const TensorDesc& d) { return d.name.c_str(); });
}
ACL_EXPORT aclError aclSetTensorFormat(aclTensorDesc* desc, aclFormat format) {
  return change("aclSetTensorFormat", desc, [&](TensorDesc& d) { d.format = format; });
}
ACL_EXPORT aclError aclSetTensorShape(aclTensorDesc* desc, int count, const int64_t* dims) {
  return change("aclSetTensorShape", desc, [&](TensorDesc& d) { d.dims = copy_dims(count, dims); });
}
ACL_EXPORT aclError aclSetTensorPlaceMent(aclTensorDesc* desc, aclMemType /*type*/) {
  return change("aclSetTensorPlaceMent", desc, [](TensorDesc&) {});
}

}  // namespace effdet::acl
