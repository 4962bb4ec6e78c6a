// Numbers values by operator, attributes and inputs, with keys of constants' contents.
#include "passes/value_numbers.h"

#include <fmt/format.h>

namespace effdet::passes {
namespace {

/// Shapes, axes and the like, of which files hold many equal ones.
constexpr size_t kSmall = 4096;

std::string tensor_kind(const Tensor& tensor) {
  return fmt::format("{}:{}", dtype_name(tensor.dtype()), fmt::join(tensor.shape(), "x"));
}

struct AttributeKey {
  std::string operator()(int64_t value) const { return fmt::format("i{}", value); }
  std::string operator()(float value) const { return fmt::format("f{:a}", value); }
  std::string operator()(const std::string& value) const { return fmt::format("s{}:{}", value.size(), value); }
  std::string operator()(const Tensor& tensor) const {
    return fmt::format("t{}:{}", tensor_kind(tensor), bytes_of(tensor));
  }
  std::string operator()(const std::shared_ptr<const ir::OpaqueAttribute>& kept) const {
    return fmt::format("o{}:{}", kept->message().size(), kept->message());
  }
  template <typename T>
  std::string operator()(const std::vector<T>& values) const {
    std::string key = fmt::format("l{}", values.size());
    for (const T& value : values) key += ',' + (*this)(value);
    return key;
  }
};

}  // namespace

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes().data()), tensor.byte_size()};
}

std::string attribute_key(const ir::Attribute& attribute) { return std::visit(AttributeKey{}, attribute); }

Number ValueNumbers::number_of(std::string key) {
  return keys_.emplace(std::move(key), static_cast<Number>(keys_.size())).first->second;
}

Number ValueNumbers::of_input(const ir::Value& input) { return number_of("input " + input.name); }

Number ValueNumbers::of_constant(const Tensor& constant, const Tensor* namesake) {
  const std::string kind = tensor_kind(constant);
  if (constant.byte_size() <= kSmall) return number_of(fmt::format("small {} {}", kind, bytes_of(constant)));
  const bool equal = namesake != nullptr && namesake->dtype() == constant.dtype() &&
                     namesake->shape() == constant.shape() && bytes_of(*namesake) == bytes_of(constant);
  kept_.push_back(equal ? *namesake : constant);
  return number_of(fmt::format("large {} {}", kind, static_cast<const void*>(kept_.back().bytes().data())));
}

Number ValueNumbers::of_output(const ir::Node& node, int64_t opset, const std::vector<Number>& inputs, size_t output) {
  std::string key = fmt::format("node {}|{}|{}|{}|{}", opset, node.domain, node.op, output, fmt::join(inputs, ","));
  if (node.opaque) key += fmt::format("|{}", node.name);  // it may be random
  for (const auto& [name, value] : node.attributes) key += fmt::format("|{}={}", name, attribute_key(value));
  return number_of(std::move(key));
}

}  // namespace effdet::passes
