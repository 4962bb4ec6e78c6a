// AttributeProto messages to attributes and back.
#pragma once

#include "ir/graph.h"
#include "onnx/tensor_proto.h"

namespace effdet::onnx {

/// Where a message comes from: what a graph inside a node needs to become one later.
struct Origin {
  std::string file;
  int64_t opset = 0;
};

/// `where` names file, node and attribute for errors. Graphs, types, sparse tensors and tensors of types that a Tensor
/// does not have are kept as they are (ir::OpaqueAttribute), external data among them read and put inside.
ir::Attribute take_attribute(pb::AttributeProto& proto, const ExternalData& external,
                             const std::shared_ptr<const Origin>& origin, const std::string& where);

/// Fills in what the attribute says; its doc string stays.
void put_attribute(const std::string& name, const ir::Attribute& attribute, pb::AttributeProto& proto);

/// Everything of a TensorProto but its bytes.
void put_tensor_header(const std::string& name, const Tensor& tensor, pb::TensorProto& proto);

}  // namespace effdet::onnx
