// The operators that each file defines; registry.cc joins them into one table.
#pragma once

#include "ops/op.h"

namespace effdet::ops {

std::span<const Operator> activation_operators();
std::span<const Operator> aipp_operators();
std::span<const Operator> arrange_operators();
std::span<const Operator> attention_operators();
std::span<const Operator> batch_norm_operators();
std::span<const Operator> cast_operators();
std::span<const Operator> compare_operators();
std::span<const Operator> concat_operators();
std::span<const Operator> constant_operators();
std::span<const Operator> conv_operators();
std::span<const Operator> conv_transpose_operators();
std::span<const Operator> elementwise_operators();
std::span<const Operator> expand_operators();
std::span<const Operator> fused_activation_operators();
std::span<const Operator> fused_average_pool_operators();
std::span<const Operator> fused_conv_operators();
std::span<const Operator> fused_conv_transpose_operators();
std::span<const Operator> fused_depthwise_conv_operators();
std::span<const Operator> fused_depthwise_pointwise_operators();
std::span<const Operator> fused_dynamic_part_operators();
std::span<const Operator> fused_elementwise_operators();
std::span<const Operator> fused_expand_depthwise_operators();
std::span<const Operator> fused_gate_operators();
std::span<const Operator> fused_top_candidates_operators();
std::span<const Operator> fused_matmul_operators();
std::span<const Operator> fused_max_pool_operators();
std::span<const Operator> fused_mix_operators();
std::span<const Operator> fused_quantize_operators();
std::span<const Operator> fused_squeeze_excite_operators();
std::span<const Operator> fused_table_operators();
std::span<const Operator> gather_operators();
std::span<const Operator> grid_sample_operators();
std::span<const Operator> identity_operators();
std::span<const Operator> integer_product_operators();
std::span<const Operator> matmul_operators();
std::span<const Operator> non_max_suppression_operators();
std::span<const Operator> normalization_operators();
std::span<const Operator> numbers_operators();
std::span<const Operator> pad_operators();
std::span<const Operator> pool_operators();
std::span<const Operator> quantize_operators();
std::span<const Operator> quantized_node_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> reduce_operators();
std::span<const Operator> reshape_operators();
std::span<const Operator> resize_operators();
std::span<const Operator> roi_align_operators();
std::span<const Operator> scatter_operators();
std::span<const Operator> select_operators();
std::span<const Operator> slice_operators();
std::span<const Operator> softmax_operators();
std::span<const Operator> transpose_operators();
std::span<const Operator> unary_operators();

}  // namespace effdet::ops
