// Nodes that read and make quantized tensors, as nodes on floats between DequantizeLinear and QuantizeLinear.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

/// Domain of ONNX Runtime's own operators.
inline constexpr std::string_view kContribDomain = "com.microsoft";

/// Whether a node is one of those that only quantized models have: these, and ONNX's on quantized tensors.
bool reads_or_makes_codes(const ir::Node& node);

/// Fails unless every scale in input i, where these are known, is positive and finite: division and rounding by it mean
/// something.
void require_scales(const InferContext& c, size_t i);

}  // namespace effdet::ops
