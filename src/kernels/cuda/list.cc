// The GPU's ordered list of implementations of every operator: the place to add one.
#include "kernels/cuda/cuda.h"

namespace effdet::kernels::cuda {
namespace {

constexpr Implementation kImplementations[] = {
    {ir::kFusedDomain, "Conv", "cuda:conv", plan_conv},
    {ir::kFusedDomain, "DepthwiseConv", "cuda:depthwise", plan_depthwise},
    {ir::kFusedDomain, "ExpandDepthwise", "cuda:expand_depthwise", plan_expand_depthwise},
    {ir::kFusedDomain, "DepthwisePointwise", "cuda:depthwise_pointwise", plan_depthwise_pointwise},
    {ir::kFusedDomain, "SqueezeExcite", "cuda:squeeze_excite", plan_squeeze_excite},
    {ir::kFusedDomain, "Mix", "cuda:mix", plan_mix},
    {ir::kFusedDomain, "MaxPool", "cuda:max_pool", plan_max_pool},
    {ir::kFusedDomain, "AveragePool", "cuda:average_pool", plan_average_pool},
    {ir::kFusedDomain, "Activation", "cuda:activation", plan_activation},
    {ir::kFusedDomain, "MatMul", "cuda:matmul", plan_matmul},
    {ir::kFusedDomain, "TopCandidates", "cuda:top_candidates", plan_top_candidates},
    {ir::kFusedDomain, "Aipp", "cuda:aipp", plan_aipp},
    {"", "Cast", "cuda:cast", plan_cast},
    {"*", "*", "cuda:on_host", plan_on_host},
};

}  // namespace

std::span<const Implementation> implementations() { return kImplementations; }

}  // namespace effdet::kernels::cuda
