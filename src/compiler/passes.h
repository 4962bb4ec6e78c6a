// The compiler's rewrites. All keep what the graph computes; the graph is verified and its shapes inferred between
// them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "aipp/config.h"
#include "artifact/program.h"
#include "compiler/layer_choices.h"
#include "ir/graph.h"
#include "passes/budget.h"

namespace effdet::compiler {

/// Camera pixels -> Aipp -> what was the only input. Throws Error(kBadInput), Error(kUnsupported) where the file of
/// --insert_op_conf does not fit the model. The input's shape must be known.
void insert_aipp(ir::Graph& graph, const aipp::Config& config);
/// QuantizeLinear and DequantizeLinear of maps, with one scale a tensor -> ai.effdet::Quantize and Dequantize; rounding
/// that changes nothing goes.
void take_quantization(ir::Graph& graph);
/// BatchNormalization, Mul, Div, Add and Sub by channels after a Conv of int8 weights -> other scales and another bias,
/// within the budget.
void fold_into_scales(ir::Graph& graph, passes::RewriteBudget& budget);
/// BatchNormalization that no convolution took -> Mul and Add.
void split_batch_norms(ir::Graph& graph);
/// x * Sigmoid(x), Relu, Clip(0, 6), Sigmoid, HardSwish, Mish and the like -> ai.effdet::Activation.
void fuse_activations(ir::Graph& graph);
/// Conv -> ai.effdet::Conv or ai.effdet::DepthwiseConv with packed weights, within the budget; MaxPool ->
/// ai.effdet::MaxPool.
void fuse_windows(ir::Graph& graph, passes::RewriteBudget& budget);
/// ConvTranspose, AveragePool -> the fused operators of these names.
void fuse_conv_transpose(ir::Graph& graph);
void fuse_average_pool(ir::Graph& graph);
/// Rows of a table by a product with one-hot rows (Equal, Cast, MatMul) -> Clip and Gather, within the budget.
void fuse_lookups(ir::Graph& graph, passes::RewriteBudget& budget);
/// MatMul and Gemm by constant weights -> ai.effdet::MatMul, with the bias and the residual after it,
/// within the budget.
void fuse_matmul(ir::Graph& graph, passes::RewriteBudget& budget);
/// Activation after Conv, DepthwiseConv or Mix -> their attribute.
void absorb_activations(ir::Graph& graph);
/// The two small layers after the mean of a depthwise output -> SqueezeExcite, its product -> the next Conv's gate.
void fuse_squeeze_excite(ir::Graph& graph, passes::RewriteBudget& budget);
/// A pointwise Conv and the DepthwiseConv after it -> ExpandDepthwise, where the map between them is large.
void fuse_expand_depthwise(ir::Graph& graph, const LayerChoices& choices);
/// A DepthwiseConv and the pointwise Conv after it -> DepthwisePointwise, where the map between them is large.
void fuse_depthwise_pointwise(ir::Graph& graph, const LayerChoices& choices);
/// Dense convolutions: whether they multiply by Strassen's or Winograd's scheme, where that was measured.
void choose_products(ir::Graph& graph, const LayerChoices& choices);
/// Sums of scaled and enlarged maps (BiFPN's nodes) -> Mix.
void fuse_mix(ir::Graph& graph);
/// Add of a Conv and another map -> the Conv's residual; Adds that remain -> Mix.
void fuse_residuals(ir::Graph& graph);
/// NonMaxSuppression of whose box indices a fixed number is taken, the lowest or the first -> SelectBoxes.
void fuse_box_selection(ir::Graph& graph, passes::RewriteBudget& budget);
/// Nodes whose tensors have as many rows as the image's content says (after NonMaxSuppression, NonZero and the like) ->
/// one DynamicPart, whose outputs have the largest shapes that they can have; the metadata name those of the graph's
/// outputs that may be filled up with zeros. Nothing where one has no limit. Operators must be supported.
void fuse_dynamic_part(ir::Graph& graph);
/// Fused operators work on NHWC data; conversions stand where others (or the caller) want NCHW.
void assign_layouts(ir::Graph& graph);

/// Elementwise operators between Dequantize and Quantize -> Table.
void fuse_tables(ir::Graph& graph);
/// Dequantize before and Quantize after fused operators -> maps of codes. After assign_layouts.
void absorb_quantization(ir::Graph& graph);

/// Maps between operators that can run in the target type, bfloat16, take it, and so do the packed weights that
/// multiply them; Casts stand where others want float32. Nodes whose names match a pattern (as a shell's) stay float32.
/// After assign_layouts. Throws Error(kUsage) for a pattern that matches nothing.
void assign_types(ir::Graph& graph, DType target, const std::vector<std::string>& keep_float32);

/// Elementwise operators of one value after a Conv or DepthwiseConv -> steps of its attribute `activation`.
void absorb_steps(ir::Graph& graph);
/// Other elementwise operators on float32, as many as belong together -> Elementwise.
void fuse_elementwise(ir::Graph& graph);

/// Places every tensor of a program for the target; tensors whose lifetimes do not meet share memory.
artifact::Program plan_memory(ir::Graph graph, std::string_view target);

/// How many images of its batch a micro-batch should have, for a program with one input: a divisor of the
/// batch; all of them, where steps mix images or the maps of all are small.
int64_t images_of_micro_batch(const artifact::Program& program);

/// Constants of the same bytes, in one plan or several, share them.
class ConstantSharer {
 public:
  /// How many bytes the plan's constants have that none before had, in it or in another plan.
  uint64_t share(artifact::Program& plan);

 private:
  std::unordered_map<std::string_view, Tensor> seen_;  ///< the views are of the tensors beside them
};

}  // namespace effdet::compiler
