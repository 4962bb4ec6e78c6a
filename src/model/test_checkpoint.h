// Checkpoints for tests: every tensor of a model, without content.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/builder.h"

namespace effdet::model {

/// All zeros; the big tensors share one block of bytes.
inline checkpoint::Checkpoint zero_checkpoint(const ModelConfig& config, std::string path = "model.pth") {
  checkpoint::Checkpoint checkpoint;
  checkpoint.path = std::move(path);
  const auto expected = expected_tensors(config);
  size_t largest = 0;
  for (const ExpectedTensor& t : expected) largest = std::max(largest, Tensor(t.dtype, t.shape, nullptr).byte_size());
  const Tensor zeros(DType::kU8, {static_cast<int64_t>(largest)});
  // The owner is a copy of the tensor that holds the zeros.
  const auto owner = std::make_shared<Tensor>(zeros);
  const std::shared_ptr<const std::byte> bytes(owner, owner->bytes().data());
  for (const ExpectedTensor& t : expected) checkpoint.tensors.push_back({t.name, Tensor(t.dtype, t.shape, bytes)});
  return checkpoint;
}

inline checkpoint::Checkpoint zero_checkpoint(std::string_view variant, std::string path = "model.pth",
                                              int num_classes = 90) {
  return zero_checkpoint(default_config(*find_variant(variant), num_classes), std::move(path));
}

inline checkpoint::NamedTensor& tensor_named(checkpoint::Checkpoint& checkpoint, std::string_view name) {
  for (checkpoint::NamedTensor& named : checkpoint.tensors)
    if (named.name == name) return named;
  throw std::out_of_range(std::string(name));
}

/// The message of the Error that f throws; "" where it throws none.
template <typename F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace effdet::model
