// Descriptions of tensors that programs make themselves.
#pragma once

#include <string>
#include <vector>

#include "handles.h"

namespace effdet::acl {

struct TensorDesc {
  aclDataType type = ACL_DT_UNDEFINED;
  aclFormat format = ACL_FORMAT_UNDEFINED;
  std::vector<int64_t> dims;
  std::string name;
};

Handles<TensorDesc>& tensor_descs();

}  // namespace effdet::acl
