// Memory for what a model gives.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "effdet/export.h"

namespace effdet {

/// Memory for the outputs of one run, not cleared: a run writes all of it. Pages are fetched while the network's
/// threads write them, huge ones where there is much.
class OutputMemory {
 public:
  /// bytes: of each output, as Runner::output_bytes() has them. Throws Error(kOutOfMemory).
  EFFDET_API explicit OutputMemory(std::span<const size_t> bytes);

  /// One for each output, aligned to 64 bytes.
  std::span<const std::span<std::byte>> outputs() const { return outputs_; }

 private:
  std::shared_ptr<std::byte> memory_;
  std::vector<std::span<std::byte>> outputs_;
};

}  // namespace effdet
