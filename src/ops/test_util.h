// Running single nodes in tests, and comparing what they yield.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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

inline constexpr float kInf = std::numeric_limits<float>::infinity();

using Floats = std::vector<float>;

/// A tensor of one axis.
inline Tensor list(std::vector<float> values) {
  const auto size = static_cast<int64_t>(values.size());
  return floats({size}, std::move(values));
}

inline Tensor bools(std::vector<int> values) {
  Tensor tensor(DType::kBool, {static_cast<int64_t>(values.size())});
  for (size_t i = 0; i < values.size(); ++i) tensor.mutable_data<bool>()[i] = values[i] != 0;
  return tensor;
}

/// An operator with its inputs and what it should yield.
struct Case {
  std::string op;
  std::vector<Tensor> inputs;
  std::vector<float> expected;  ///< of the first output, in order
  std::map<std::string, ir::Attribute> attributes = {};
  int64_t opset = 18;
};

/// Runs each case and compares, NaN with NaN.
inline void expect_values(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Tensor output = run_node(c.op, c.inputs, c.attributes, c.opset)[0].to(DType::kF32);
    ASSERT_EQ(output.numel(), static_cast<int64_t>(c.expected.size())) << c.op;
    for (size_t i = 0; i < c.expected.size(); ++i) {
      const float found = values(output)[i];
      if (std::isnan(c.expected[i])) {
        EXPECT_TRUE(std::isnan(found)) << c.op << " " << i;
      } else if (std::isinf(c.expected[i])) {
        EXPECT_EQ(found, c.expected[i]) << c.op << " " << i;
      } else {
        EXPECT_NEAR(found, c.expected[i], 1e-4) << c.op << " " << i;
      }
    }
  }
}

}  // namespace effdet::ops
