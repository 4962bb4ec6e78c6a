// GraphProto messages to graphs: that of a model, and those inside nodes.
#pragma once

#include "onnx/attribute.h"

namespace effdet::onnx {

/// The graph of a model; see read_onnx. Tensors move out of the message.
ir::Graph read_graph(pb::GraphProto& proto, const std::shared_ptr<const Origin>& origin, const ExternalData& external);

/// A graph inside a node: what it reads from around it becomes its last inputs. Precondition: without external data.
ir::Graph read_inner_graph(pb::GraphProto& proto, const std::shared_ptr<const Origin>& origin);

}  // namespace effdet::onnx
