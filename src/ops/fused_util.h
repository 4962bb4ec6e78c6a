// What inference and reference kernels of fused operators share.
#pragma once

#include "ops/fused.h"

namespace effdet::ops {

/// Fails unless input i has the given shape and type; absent optional inputs pass.
void require_shape(const InferContext& c, size_t i, const Shape& shape, DType dtype = DType::kF32);
/// The shape of an input that must be known: fusion happens on static shapes. Kernels divide by dimensions and count
/// them in ints.
const Shape& known_shape(const InferContext& c, size_t i, size_t rank);
/// The type of a map.
DType map_type(const InferContext& c, size_t i);
/// For operators that leave the type as it is.
DType one_type(const InferContext& c);
/// For operators that leave the layout as it is.
bool one_layout(const ir::Node& node);

/// Output height and width of a window over the input.
Dims windowed(const ir::Node& node, Dims in, const Window2d& w);
/// The window of a fused node for the ONNX operator, which knows further attributes that fused ones do not have.
std::map<std::string, ir::Attribute> window_attributes(const ir::Node& node);

/// y as the node's attribute says.
void activate(const ir::Node& node, Tensor& y, std::string_view attribute = "activation");
/// A map as NCHW and float32.
Tensor input_nchw(const EvalContext& c, size_t i);
/// Copies y (NCHW, float32) to the output in its layout and type.
void write_output(const EvalContext& c, const Tensor& y);

}  // namespace effdet::ops
