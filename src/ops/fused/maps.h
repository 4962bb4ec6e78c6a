// What inference and reference kernels of operators on maps share: checks of types and shapes, and maps as ONNX's
// operators take them.
#pragma once

#include <string_view>

#include "ops/fused/layout.h"

namespace effdet::ops {

/// The largest dimension of a map, and the most values under one window: what kernels count in an int, times 16.
inline constexpr int64_t kMaxExtent = 1 << 24;
/// The most output channels that a Conv has.
inline constexpr int64_t kMaxOutChannels = 1 << 20;

/// The types that maps may have, where operators know no codes (ops/fused/requantize.h).
inline constexpr DType kMapTypes[] = {DType::kF32, DType::kBF16, DType::kF16};
/// The types of maps of operators that do.
inline constexpr DType kCodeMaps[] = {DType::kF32, DType::kBF16, DType::kF16, DType::kU8};
/// Of operators whose kernels know no other.
inline constexpr DType kFloat32Maps[] = {DType::kF32};

/// A list attribute with as many values as its default, each in [low, high]; kBadInput otherwise.
std::vector<int64_t> bounded_ints(const ir::Node& node, std::string_view attribute, std::vector<int64_t> otherwise,
                                  int64_t low, int64_t high);

/// Fails unless input i has the given shape and type; absent optional inputs pass.
void require_shape(const InferContext& c, size_t i, const Shape& shape, DType dtype = DType::kF32);
/// Fails where input i, which is not optional, is absent.
void require_inputs(const InferContext& c, size_t count);
/// The shape of an input that must be known: fusion happens on static shapes. Kernels divide by dimensions and count
/// them in ints.
const Shape& known_shape(const InferContext& c, size_t i, size_t rank);

/// The type of a map, one of those given.
DType map_type(const InferContext& c, size_t i, std::span<const DType> types = kMapTypes);
/// The attribute `output_type`: nothing where the output has the input's type; kBadInput for the name of a type that no
/// map has.
std::optional<DType> output_type_of(const ir::Node& node);
/// For operators that leave the type as it is.
DType one_type(const InferContext& c, std::span<const DType> types = kMapTypes);

/// A map as NCHW and float32; of codes, their numbers.
Tensor input_nchw(const Tensor& map, Layout layout);
Tensor input_nchw(const EvalContext& c, size_t i, Layout layout);
/// Copies y (NCHW, float32) to the output in its layout and type.
void write_output(const EvalContext& c, const Tensor& y, Layout layout);

}  // namespace effdet::ops
