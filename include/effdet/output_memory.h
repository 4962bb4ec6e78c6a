// Memory for a model's outputs.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// Uninitialised memory for the outputs of one run, which writes all of it. Pages are mapped when they are first
/// written; large outputs use huge pages. Copies share the memory.
class OutputMemory {
 public:
  /// bytes: the size of each output, as Runner::output_bytes(). Throws Error(kOutOfMemory).
  EFFDET_API explicit OutputMemory(std::span<const size_t> bytes);

  /// One span for each output, aligned to 64 bytes.
  std::span<const std::span<std::byte>> outputs() const { return outputs_; }

 private:
  std::shared_ptr<std::byte> memory_;
  std::vector<std::span<std::byte>> outputs_;
};

}  // namespace effdet
