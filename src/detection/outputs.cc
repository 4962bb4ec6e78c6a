// Buffers for the outputs of a run, and the part of each that is one image's.
#include "detection/outputs.h"

#include "base/memory.h"

namespace effdet::detection {

std::vector<std::span<const float>> outputs_of_image(std::span<const std::span<const float>> outputs, size_t image,
                                                     size_t batch) {
  std::vector<std::span<const float>> parts;
  for (const std::span<const float> values : outputs) {
    const size_t size = values.size() / batch;
    parts.push_back(values.subspan(image * size, size));
  }
  return parts;
}

OutputBuffers::OutputBuffers(const runtime::Engine& engine) {
  for (size_t i = 0; i < engine.output_count(); ++i) {
    const size_t bytes = artifact::value_bytes(engine.output(i));
    pointers_.push_back(memory_.emplace_back(allocate(bytes, "outputs")).get());
    values_.emplace_back(reinterpret_cast<const float*>(pointers_.back()), bytes / sizeof(float));
  }
}

}  // namespace effdet::detection
