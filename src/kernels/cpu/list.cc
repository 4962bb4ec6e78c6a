// The CPU's ordered list of implementations of every operator: the place to add one.
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/device.h"
#include "kernels/ref/reference.h"

namespace effdet::kernels::cpu {
namespace {

constexpr Implementation kImplementations[] = {
    {ir::kFusedDomain, "Aipp", "cpu:aipp", plan_aipp},
    {ir::kFusedDomain, "Conv", "cpu:winograd", plan_winograd},
    {ir::kFusedDomain, "Conv", "cpu:gemm", plan_conv},
    {ir::kFusedDomain, "Conv", "cpu:gemm_int8", plan_code_conv},
    {ir::kFusedDomain, "Conv", "cpu:int8_weights", plan_conv_of_int8_weights},
    {ir::kFusedDomain, "DepthwiseConv", "cpu:depthwise", plan_depthwise},
    {ir::kFusedDomain, "DepthwiseConv", "cpu:depthwise_int8", plan_depthwise_codes},
    {ir::kFusedDomain, "Gate", "cpu:gate", plan_gate},
    {ir::kFusedDomain, "Quantize", "cpu:quantize", plan_quantize},
    {ir::kFusedDomain, "Dequantize", "cpu:dequantize", plan_dequantize},
    {ir::kFusedDomain, "Table", "cpu:table", plan_table},
    {ir::kFusedDomain, "DepthwisePointwise", "cpu:depthwise_pointwise", plan_depthwise_pointwise},
    {ir::kFusedDomain, "ExpandDepthwise", "cpu:expand_depthwise", plan_expand_depthwise},
    {ir::kFusedDomain, "SqueezeExcite", "cpu:squeeze_excite", plan_squeeze_excite},
    {ir::kFusedDomain, "Mix", "cpu:mix", plan_mix},
    {ir::kFusedDomain, "MaxPool", "cpu:max_pool", plan_max_pool},
    {ir::kFusedDomain, "AveragePool", "cpu:average_pool", plan_average_pool},
    {ir::kFusedDomain, "ConvTranspose", "cpu:conv_transpose", plan_conv_transpose},
    {ir::kFusedDomain, "Activation", "cpu:activation", plan_activation},
    {ir::kFusedDomain, "Elementwise", "cpu:elementwise", plan_elementwise},
    {ir::kFusedDomain, "MatMul", "cpu:gemm", plan_fused_matmul},
    {"", "MatMul", "cpu:matmul", plan_matmul},
    {"", "LSTM", "cpu:lstm", plan_lstm},
    {"", "Cast", "cpu:cast", plan_cast},
    {"", "Transpose", "cpu:transpose", plan_transpose},
    {"", "DepthToSpace", "cpu:transpose", plan_depth_to_space},
    {"", "SpaceToDepth", "cpu:transpose", plan_space_to_depth},
    {"", "Gather", "cpu:gather", plan_gather},
    {"", "LayerNormalization", "cpu:layer_norm", plan_layer_norm},
    {"", "RMSNormalization", "cpu:layer_norm", plan_layer_norm},
    {"", "Slice", "cpu:slice", plan_slice},
    {"", "Expand", "cpu:expand", plan_expand},
    {"", "Identity", "cpu:copy", plan_copy},
    {"", "Dropout", "cpu:copy", plan_copy},
    {"", "Reshape", "cpu:copy", plan_copy},
    {"", "Flatten", "cpu:copy", plan_copy},
    {"", "Squeeze", "cpu:copy", plan_copy},
    {"", "Unsqueeze", "cpu:copy", plan_copy},
    {"", "Softmax", "cpu:softmax", plan_softmax},
    {"", "GlobalAveragePool", "cpu:reduce", plan_reduce},
    {"", "GlobalMaxPool", "cpu:reduce", plan_reduce},
    {"", "ReduceMean", "cpu:reduce", plan_reduce},
    {"", "ReduceSum", "cpu:reduce", plan_reduce},
    {"", "ReduceMax", "cpu:reduce", plan_reduce},
    {"", "ReduceMin", "cpu:reduce", plan_reduce},
    {"", "ReduceSumSquare", "cpu:reduce", plan_reduce},
    {"", "ReduceL2", "cpu:reduce", plan_reduce},
    {"", "Concat", "cpu:concat", plan_concat},
    {"", "Split", "cpu:split", plan_split},
    {"", "Resize", "cpu:resize", plan_resize},
    {"*", "*", "reference", plan_reference},
};

}  // namespace

std::span<const Implementation> implementations() { return kImplementations; }

}  // namespace effdet::kernels::cpu
