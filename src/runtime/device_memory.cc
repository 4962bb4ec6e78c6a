// Constants, inputs and outputs in a device's memory.
#include "runtime/device_memory.h"

#include <algorithm>
#include <utility>

namespace effdet::runtime {

Constants::Constants(std::span<const artifact::Program> plans, const kernels::Device& device) : device_(device) {
  if (device.uses_host_memory()) return;
  for (const artifact::Program& plan : plans)
    for (size_t i = 0; i < plan.graph.value_count(); ++i) {
      const Tensor* constant = plan.graph.constant(static_cast<ir::ValueId>(i));
      if (constant == nullptr || constant->byte_size() == 0) continue;
      Block& block = blocks_[constant->bytes().data()];
      if (block.constant.byte_size() < constant->byte_size()) block.constant = *constant;
    }
}

void Constants::want(const Tensor& constant) {
  if (const auto found = blocks_.find(constant.bytes().data()); found != blocks_.end()) found->second.is_wanted = true;
}

void Constants::upload() const {
  const std::lock_guard lock(mutex_);
  if (memory_ != nullptr) return;
  size_t size = 0;
  for (auto& [host, block] : blocks_)
    if (block.is_wanted) block.offset = std::exchange(size, size + artifact::aligned_bytes(block.constant.byte_size()));
  if (size == 0) return;
  auto memory = device_.allocate(size, "weights");
  const std::unique_ptr<kernels::Queue> queue = device_.make_queue();
  for (const auto& [host, block] : blocks_)
    if (block.is_wanted) queue->upload(block.constant.bytes(), memory.get() + block.offset);
  memory_ = std::move(memory);
}

const std::byte* Constants::place(const Tensor& constant) const {
  const std::byte* host = constant.bytes().data();
  if (device_.uses_host_memory()) return host;
  const auto found = blocks_.find(host);
  return found != blocks_.end() && found->second.is_wanted ? memory_.get() + found->second.offset : nullptr;
}

Staging::Staging(const kernels::Device& device, std::span<const std::vector<ir::Value>> plans, std::string_view what) {
  std::vector<size_t> most;  // bytes of each tensor, over all plans
  for (const std::vector<ir::Value>& values : plans) {
    std::vector<size_t>& bytes = bytes_.emplace_back();
    most.resize(std::max(most.size(), values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      bytes.push_back(artifact::value_bytes(values[i]));
      most[i] = std::max(most[i], bytes.back());
    }
  }
  for (const size_t bytes : most) memory_bytes_ += artifact::aligned_bytes(bytes);
  memory_ = device.allocate(memory_bytes_, what);
  std::byte* next = memory_.get();
  for (const size_t bytes : most) {
    places_.push_back(next);
    next += artifact::aligned_bytes(bytes);
  }
}

void Staging::upload(kernels::Queue& queue, size_t plan, std::span<const std::byte* const> from) const {
  const std::vector<size_t>& bytes = bytes_.at(plan);
  for (size_t i = 0; i < bytes.size(); ++i) queue.upload({from[i], bytes[i]}, places_[i]);
}

void Staging::download(kernels::Queue& queue, size_t plan, std::span<std::byte* const> to) const {
  const std::vector<size_t>& bytes = bytes_.at(plan);
  for (size_t i = 0; i < bytes.size(); ++i) queue.download(places_[i], {to[i], bytes[i]});
}

}  // namespace effdet::runtime
