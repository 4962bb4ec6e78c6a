// From strided views into storages to dense tensors.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle_value.h"
#include "checkpoint/state_dict.h"

namespace effdet::checkpoint {

/// The storages of one file by their index in the ValueStore, each as large as its StorageRef says.
class StorageReader {
 public:
  /// For messages.
  struct Place {
    std::string_view record;
    uint64_t offset;
  };

  virtual ~StorageReader() = default;
  virtual Place place(uint32_t index) const = 0;
  /// The bytes, at any alignment. Throws Error(kBadInput) where they are damaged.
  virtual std::shared_ptr<const std::byte> read(uint32_t index) = 0;
};

/// The checkpoint with the tensors of the state_dict, row-major; they share a storage's bytes where these are aligned
/// and already so, and are copies else. Throws Error: kUnsupported for over a million tensors and where none can be
/// weights, and what the reader throws.
Checkpoint load_checkpoint(StateDict state_dict, const ValueStore& store, StorageReader& storages,
                           const PickleSource& source, Budget& budget);

/// Throws Error(kUnsupported) where a file has more tensors than the library takes.
void check_tensor_count(uint64_t count, std::string_view file);

/// What a tensor's name and shape take beside its NamedTensor.
uint64_t tensor_cost(size_t rank, std::string_view name);

inline bool is_aligned(const std::byte* bytes, DType dtype) {
  return reinterpret_cast<uintptr_t>(bytes) % dtype_size(dtype) == 0;
}

}  // namespace effdet::checkpoint
