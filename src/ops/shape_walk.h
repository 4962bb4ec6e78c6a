// Shape inference one node at a time, for rewrites that follow what it finds.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// Infers nodes in their order and remembers the small tensors whose content is known. The graph may get more values
/// meanwhile.
class ShapeWalk {
 public:
  ShapeWalk(ir::Graph& graph, KnownValues& values) : graph_(graph), values_(values) {}

  /// As infer_shapes does for each node; sets node.opaque.
  void visit(ir::Node& node);
  /// The same for a node that is to be run. Throws Error(kUnsupported) where it could not be.
  void visit_supported(const ir::Node& node);

 private:
  InputInfo info(ir::ValueId id) const;
  void track(const ir::Node& node, std::span<const InputInfo> infos);
  Tensor shape_of(const ir::Node& node, const Shape& shape) const;
  void keep(ir::ValueId id, Tensor tensor, bool may_hold_symbols);

  ir::Graph& graph_;
  KnownValues& values_;
  size_t tracked_bytes_ = 0;
};

}  // namespace effdet::ops
