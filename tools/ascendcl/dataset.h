// Data sets: the buffers of a run's inputs or outputs. Buffers do not own the memory that they name.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "handles.h"

namespace effdet::acl {

struct DataBuffer {
  std::mutex mutex;
  void* address = nullptr;
  size_t bytes = 0;
};

struct Dataset {
  struct Entry {
    void* buffer = nullptr;       ///< handle of a DataBuffer
    void* tensor_desc = nullptr;  ///< handle of a TensorDesc, or null
  };
  std::mutex mutex;
  std::vector<Entry> entries;
  /// What aclmdlSetDynamicBatchSize and its like chose, and for which model.
  struct Choice {
    uint32_t model_id = 0;
    size_t plan = 0;
  };
  std::optional<Choice> plan;

  /// The caller holds the lock. Throws Failure(kInvalidParam).
  Entry& entry(size_t index);
};

Handles<DataBuffer>& data_buffers();
Handles<Dataset>& datasets();

}  // namespace effdet::acl
