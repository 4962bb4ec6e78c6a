// AttributeProto messages to attributes and back.
#pragma once

#include "ir/graph.h"
#include "onnx/tensor_proto.h"

namespace effdet::onnx_io {

/// `where` names file, node and attribute for errors. Subgraphs, sparse tensors and types are kUnsupported.
ir::Attribute take_attribute(pb::AttributeProto& proto, const ExternalData& external, const std::string& where);

void put_attribute(const std::string& name, const ir::Attribute& attribute, pb::AttributeProto& proto);

/// Everything of a TensorProto but its bytes.
void put_tensor_header(const std::string& name, const Tensor& tensor, pb::TensorProto& proto);

}  // namespace effdet::onnx_io
