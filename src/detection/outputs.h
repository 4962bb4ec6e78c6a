// What a run writes, and the part of it that belongs to one image.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "runtime/engine.h"

namespace effdet::detection {

/// The part of each output that belongs to one image of the batch.
std::vector<std::span<const float>> outputs_of_image(std::span<const std::span<const float>> outputs, size_t image,
                                                     size_t batch);

/// Memory for all outputs of one run, float32.
class OutputBuffers {
 public:
  /// Throws Error(kOutOfMemory).
  explicit OutputBuffers(const runtime::Engine& engine);
  OutputBuffers(OutputBuffers&&) = default;  // a copy would point to the memory of the original

  /// For Session::run().
  std::span<std::byte* const> pointers() const { return pointers_; }
  /// For outputs_of_image().
  std::span<const std::span<const float>> values() const { return values_; }

 private:
  std::vector<std::shared_ptr<std::byte>> memory_;
  std::vector<std::span<const float>> values_;
  std::vector<std::byte*> pointers_;
};

}  // namespace effdet::detection
