// Constants of the same bytes share them, in all plans of a model.
#include <memory>

#include "compiler/passes.h"

namespace effdet::compiler {
namespace {

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes().data()), tensor.byte_size()};
}

}  // namespace

uint64_t ConstantSharer::share(artifact::Program& plan) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < plan.graph.value_count(); ++i) {
    ir::Value& value = plan.graph.value(static_cast<ir::ValueId>(i));
    if (!value.constant || value.constant->byte_size() == 0) continue;
    const auto [first, is_new] = seen_.emplace(bytes_of(*value.constant), *value.constant);
    if (is_new) {
      bytes += value.constant->byte_size();
      continue;
    }
    const auto owner = std::make_shared<const Tensor>(first->second);
    value.constant = Tensor(value.dtype, *value.shape, std::shared_ptr<const std::byte>(owner, owner->bytes().data()));
  }
  return bytes;
}

}  // namespace effdet::compiler
