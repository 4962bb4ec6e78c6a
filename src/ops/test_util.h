// Running single nodes in tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/memory.h"
#include "ops/op.h"

namespace effdet::ops {

inline Tensor floats(Shape shape, std::vector<float> values) { return Tensor::from<float>(std::move(shape), values); }
inline Tensor ints(std::vector<int64_t> values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}
/// A tensor of 0, 1, 2, ...
inline Tensor counting(Shape shape) {
  Tensor tensor(DType::kF32, std::move(shape));
  float next = 0;
  for (float& x : tensor.mutable_data<float>()) x = next++;
  return tensor;
}

/// An input that is absent has no bytes: Tensor().
inline std::vector<Tensor> run_node(const std::string& op, const std::vector<Tensor>& inputs,
                                    std::map<std::string, ir::Attribute> attributes = {}, int64_t opset = 11,
                                    size_t outputs = 1) {
  ir::Node node{op, "", "test", {}, {}, std::move(attributes)};
  std::vector<const Tensor*> pointers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(inputs[i].empty() ? ir::kNoValue : static_cast<ir::ValueId>(i));
    pointers.push_back(inputs[i].empty() ? nullptr : &inputs[i]);
  }
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(static_cast<ir::ValueId>(inputs.size() + i));
  const MemoryBudget budget(uint64_t{1} << 30);
  return evaluate_node(node, opset, pointers);
}

template <typename T = float>
std::vector<T> values(const Tensor& tensor) {
  return {tensor.data<T>().begin(), tensor.data<T>().end()};
}

using List = std::vector<int64_t>;

}  // namespace effdet::ops
