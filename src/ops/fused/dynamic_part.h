// ai.effdet::DynamicPart: the nodes of a model whose tensors have as many rows as the image's content says (what
// follows a NonMaxSuppression or a NonZero), as one operator with outputs of known shapes.
#pragma once

#include <map>
#include <span>
#include <string>

#include "ops/op.h"

namespace effdet::ops {

/// The most nodes that a part has.
inline constexpr size_t kMostPartNodes = 100000;

/// Whether a DynamicPart may hold such a node: a Choose, or one of ONNX's own operators, without tensors and graphs
/// among its attributes.
bool fits_dynamic_part(const ir::Node& node);

/// The attributes that say a part. Its inputs are the operator's, of which none is a constant; limits: for each of its
/// outputs the shape that the operator gives it. Precondition: nodes for which fits_dynamic_part() holds.
std::map<std::string, ir::Attribute> dynamic_part_attributes(const ir::Graph& part, std::span<const Shape> limits);

/// The part that a node's attributes say, with inputs of unknown type and shape. Throws Error(kBadInput) for attributes
/// that say none.
ir::Graph dynamic_part_of(const ir::Node& node, int64_t opset);

}  // namespace effdet::ops
