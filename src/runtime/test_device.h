// A device for tests: the reference kernels on memory that the host must not touch. It shows that sessions assume
// nothing that holds for the CPU alone, and what a device has to say of itself.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/device.h"
#include "kernels/ref/reference.h"

namespace effdet::runtime {

/// Blocks of memory without access for anyone, but while an Access lives.
class OwnMemory {
 public:
  std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) {
    if (bytes == 0) return nullptr;
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const size_t size = (bytes + page - 1) / page * page;
    void* block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) fail(ErrorCode::kOutOfMemory, "no memory for {}", what);
    std::memset(block, 0xFF, size);  // no number of any type of float: what nobody wrote shows
    ::mprotect(block, size, PROT_NONE);
    blocks_[block] = size;
    return {static_cast<std::byte*>(block),
            [this](std::byte* freed) { ::munmap(freed, std::exchange(blocks_[freed], 0)); }};
  }

  size_t block_count() const {
    return static_cast<size_t>(std::ranges::count_if(blocks_, [](const auto& block) { return block.second > 0; }));
  }

  class Access {
   public:
    explicit Access(const OwnMemory& memory) : memory_(memory) { memory_.protect(PROT_READ | PROT_WRITE); }
    ~Access() { memory_.protect(PROT_NONE); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

   private:
    const OwnMemory& memory_;
  };

 private:
  void protect(int access) const {
    for (const auto& [block, size] : blocks_)
      if (size > 0) ::mprotect(block, size, access);
  }

  std::map<void*, size_t> blocks_;  // and their bytes; none for one that was given back
};

/// Runs nothing before it must: kernels find out whether what they were called with is still there.
class LazyQueue : public kernels::Queue {
 public:
  explicit LazyQueue(const OwnMemory& memory) : memory_(memory) {}

  void add(std::function<void()> kernel) { kernels_.push_back(std::move(kernel)); }
  void upload(std::span<const std::byte> from, std::byte* to) override {
    wait();
    const OwnMemory::Access access(memory_);
    std::ranges::copy(from, to);
  }
  void download(const std::byte* from, std::span<std::byte> to) override {
    wait();
    const OwnMemory::Access access(memory_);
    std::copy_n(from, to.size(), to.data());
  }
  void wait() override {
    const OwnMemory::Access access(memory_);
    for (const auto& kernel : std::exchange(kernels_, {})) kernel();
  }

 private:
  const OwnMemory& memory_;
  std::vector<std::function<void()>> kernels_;
};

/// A reference kernel that reads its constants from the device's memory too, and has scratch.
class LazyKernel : public kernels::Kernel {
 public:
  explicit LazyKernel(std::unique_ptr<kernels::Kernel> reference) : reference_(std::move(reference)) {}

  static kernels::Plan plan(const kernels::PlanContext& context) {
    std::vector<kernels::ValueInfo> inputs(context.inputs.begin(), context.inputs.end());
    for (kernels::ValueInfo& input : inputs) input.constant = nullptr;
    kernels::Plan reference = kernels::plan_reference({context.node, context.opset, inputs, context.outputs});
    if (reference.kernel == nullptr) return reference;
    return {std::make_unique<LazyKernel>(std::move(reference.kernel)), ""};
  }

  size_t scratch_bytes(int threads) const override { return kScratch * static_cast<size_t>(threads); }

  void run(const kernels::RunContext& context) const override {
    using Inputs = std::vector<const std::byte*>;
    using Outputs = std::vector<std::byte*>;
    auto& queue = dynamic_cast<LazyQueue&>(*context.queue);
    queue.add([this, &threads = context.threads, scratch = context.scratch,
               inputs = Inputs(context.inputs.begin(), context.inputs.end()),
               outputs = Outputs(context.outputs.begin(), context.outputs.end())] {
      std::fill_n(scratch, scratch_bytes(threads.size()), std::byte{0xFF});
      reference_->run({inputs, outputs, scratch, threads});
    });
  }

 private:
  static constexpr size_t kScratch = 5000;

  std::unique_ptr<kernels::Kernel> reference_;
};

class TestDevice : public kernels::Device {
 public:
  explicit TestDevice(const ops::Target& target) : target_(target) {}

  const ops::Target& target() const override { return target_; }
  std::span<const kernels::Implementation> implementations() const override {
    static constexpr kernels::Implementation kList[] = {{"*", "*", "test:lazy", LazyKernel::plan}};
    return kList;
  }
  bool uses_host_memory() const override { return false; }
  std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) const override {
    return memory_.allocate(bytes, what);
  }
  std::unique_ptr<kernels::Queue> make_queue() const override { return std::make_unique<LazyQueue>(memory_); }
  std::string hardware() const override { return "test"; }
  /// Blocks of memory that are in use.
  size_t block_count() const { return memory_.block_count(); }

 private:
  const ops::Target target_;
  mutable OwnMemory memory_;
};

}  // namespace effdet::runtime
