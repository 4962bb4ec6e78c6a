// What the host has and kernels need in their device's memory.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "artifact/program.h"
#include "kernels/device.h"

namespace effdet::runtime {

/// The constants of a model where kernels read them: as they lie on the host, or in one block of the device's memory,
/// where those that plans share are once, and those that no kernel reads are not.
class Constants {
 public:
  Constants(std::span<const artifact::Program> plans, const kernels::Device& device);

  /// Before upload(): a kernel reads that constant of one of the plans, or of a copy of it. Others take no memory.
  void want(const Tensor& constant);

  /// Puts them into the device's memory, where they are not: who only looks at a model, or compiles it for a device
  /// that is elsewhere, needs none. Throws Error(kOutOfMemory), and what the device throws. Safe to call by several
  /// threads.
  void upload() const;
  /// Of a constant that is wanted, after upload(); null for others.
  const std::byte* place(const Tensor& constant) const;

 private:
  struct Block {
    Tensor constant;
    size_t offset = 0;
    bool is_wanted = false;
  };

  const kernels::Device& device_;
  // By the place on the host; those that share their bytes are one. Offsets are those of upload().
  mutable std::map<const std::byte*, Block> blocks_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<std::byte> memory_;  // null where kernels use the host's
};

/// The caller's inputs, or outputs, in the memory of a device that does not use the host's: for one plan at a time.
class Staging {
 public:
  /// plans: of each, the tensors. Throws Error(kOutOfMemory), which says that the memory is for `what`.
  Staging(const kernels::Device& device, std::span<const std::vector<ir::Value>> plans, std::string_view what);

  std::span<std::byte* const> places() const { return places_; }
  size_t memory_bytes() const { return memory_bytes_; }
  void upload(kernels::Queue& queue, size_t plan, std::span<const std::byte* const> from) const;
  void download(kernels::Queue& queue, size_t plan, std::span<std::byte* const> to) const;

 private:
  std::vector<std::vector<size_t>> bytes_;  // by plan and tensor
  std::shared_ptr<std::byte> memory_;
  std::vector<std::byte*> places_;  // by tensor
  size_t memory_bytes_ = 0;
};

}  // namespace effdet::runtime
