// Numbers for the values of graphs, so that what is computed alike has one number.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace effdet::passes {

using Number = int32_t;

/// Gives numbers: to inputs by name, to constants by content, to what nodes make by operator, attributes and the
/// numbers of their inputs. The same number means that two values of any graphs numbered here are equal, whatever the
/// inputs.
class ValueNumbers {
 public:
  Number of_input(const ir::Value& input);
  /// Large constants (above 4 KiB) are the same where they share their bytes, or `namesake` holds equal ones. Keeps the
  /// tensor.
  Number of_constant(const Tensor& constant, const Tensor* namesake = nullptr);
  /// Of one of a node's outputs; `inputs` are those of the node, -1 for an absent one.
  Number of_output(const ir::Node& node, int64_t opset, const std::vector<Number>& inputs, size_t output);

 private:
  Number number_of(std::string key);

  std::unordered_map<std::string, Number> keys_;
  std::vector<Tensor> kept_;  ///< so that no other constant comes to lie at a known address
};

/// The bytes of a tensor as text, to compare and to look up; they live as long as the tensor.
std::string_view bytes_of(const Tensor& tensor);

/// Text of an attribute that is equal exactly for equal attributes.
std::string attribute_key(const ir::Attribute& attribute);

}  // namespace effdet::passes
