// One allocation for all outputs of a run.
#include "effdet/output_memory.h"

#include <numeric>

#include "artifact/program.h"
#include "base/memory.h"

namespace effdet {

OutputMemory::OutputMemory(std::span<const size_t> bytes) {
  const auto add = [](size_t sum, size_t size) { return sum + artifact::aligned_bytes(size); };
  memory_ = allocate(std::accumulate(bytes.begin(), bytes.end(), size_t{0}, add), "outputs");
  size_t offset = 0;
  for (const size_t size : bytes) {
    outputs_.emplace_back(memory_.get() + offset, size);
    offset += artifact::aligned_bytes(size);
  }
}

}  // namespace effdet
