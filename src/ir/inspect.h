// What a graph holds, for people: its tensors, how many nodes and weights, weights that are no numbers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "effdet/tensor_info.h"
#include "ir/graph.h"

namespace effdet::ir {

/// Name, type and shape of each value; a shape that is not known is empty.
std::vector<TensorInfo> tensor_infos(std::span<const Value> values);
std::vector<TensorInfo> tensor_infos(const Graph& graph, std::span<const ValueId> ids);

/// Number of nodes of each operator.
std::map<std::string, size_t> node_counts(const Graph& graph);

/// Elements and bytes of all constants.
struct WeightSize {
  int64_t values = 0;
  uint64_t bytes = 0;
};
WeightSize weight_size(const Graph& graph);

/// Name of the tensor that is output number `output` of the node of that name; "" where there is none.
std::string output_name(const Graph& graph, const std::string& node, size_t output);

/// Elements of a floating-point tensor that are NaN or infinite.
int64_t count_non_finite(const Tensor& tensor);

/// "" where all weights are finite, or one line: how many are NaN or infinite, and the first one's name. A training
/// that diverged leaves such weights. Single values are limits, not weights: a Pad before a max pool has -infinity.
std::string weights_warning(const Graph& graph);

}  // namespace effdet::ir
