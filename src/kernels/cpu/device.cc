// The CPU as a device: the host's memory, and kernels that run when they are called.
#include "kernels/cpu/device.h"

#include <cpuid.h>

#include <array>
#include <cctype>
#include <cstring>

#include "base/memory.h"
#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels::cpu {
namespace {

/// The processor's name for itself, in characters that a file's name may have.
std::string processor_name() {
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; ++i)
    __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  std::array<char, sizeof words + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof words);
  std::string name;
  for (const char c : std::string_view(text.data())) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "unknown" : name;
}

class CpuDevice final : public Device {
 public:
  const ops::Target& target() const override { return ops::kCpuTarget; }
  std::span<const Implementation> implementations() const override { return cpu::implementations(); }
  bool uses_host_memory() const override { return true; }
  std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) const override {
    return effdet::allocate(bytes, what);
  }
  std::unique_ptr<Queue> make_queue() const override { return nullptr; }
  std::string hardware() const override { return processor_name() + "_" + std::string(micro_kernels().name); }
};

}  // namespace

const Device& device() {
  static const CpuDevice device;
  return device;
}

}  // namespace effdet::kernels::cpu
