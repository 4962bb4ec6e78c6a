#include "effdet/output_memory.h"

#include <numeric>

#include "base/memory.h"

namespace effdet {
namespace {

constexpr size_t kAlignment = 64;

size_t round_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

OutputMemory::OutputMemory(std::span<const size_t> bytes) {
  const auto add = [](size_t sum, size_t size) { return sum + round_up(size); };
  memory_ = allocate(std::accumulate(bytes.begin(), bytes.end(), size_t{0}, add), "outputs");
  size_t offset = 0;
  for (const size_t size : bytes) {
    outputs_.emplace_back(memory_.get() + offset, size);
    offset += round_up(size);
  }
}

}  // namespace effdet
