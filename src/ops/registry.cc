// The table of all operators.
#include "ops/operators.h"

namespace effdet::ops {
namespace {

std::vector<Operator> join_tables() {
  std::vector<Operator> all;
  for (const auto table : {
           activation_operators(),
           attention_operators(),
           batch_norm_operators(),
           cast_operators(),
           compare_operators(),
           concat_operators(),
           constant_operators(),
           conv_operators(),
           elementwise_operators(),
           expand_operators(),
           gather_operators(),
           identity_operators(),
           matmul_operators(),
           pad_operators(),
           pool_operators(),
           reduce_operators(),
           reshape_operators(),
           resize_operators(),
           slice_operators(),
           softmax_operators(),
           transpose_operators(),
           unary_operators(),
           arrange_operators(),
           normalization_operators(),
           scatter_operators(),
           select_operators(),
           conv_transpose_operators(),
           roi_align_operators(),
           grid_sample_operators(),
           non_max_suppression_operators(),
           numbers_operators(),
           quantize_operators(),
           quantized_node_operators(),
           integer_product_operators(),
           fused_activation_operators(),
           fused_average_pool_operators(),
           fused_conv_operators(),
           fused_conv_transpose_operators(),
           fused_depthwise_conv_operators(),
           fused_depthwise_pointwise_operators(),
           fused_dynamic_part_operators(),
           fused_elementwise_operators(),
           fused_expand_depthwise_operators(),
           fused_gate_operators(),
           fused_top_candidates_operators(),
           fused_matmul_operators(),
           fused_max_pool_operators(),
           fused_mix_operators(),
           fused_quantize_operators(),
           fused_squeeze_excite_operators(),
           fused_table_operators(),
           aipp_operators(),
           recurrent_operators(),
       })
    all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace

std::span<const Operator> all_operators() {
  static const std::vector<Operator> all = join_tables();
  return all;
}

}  // namespace effdet::ops
