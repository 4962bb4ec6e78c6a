// The devices of this library: the place to add one.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "effdet/machine.h"
#include "kernels/ascend/device.h"
#include "kernels/cpu/device.h"
#include "kernels/cuda/device.h"
#include "kernels/device.h"

namespace effdet::kernels {
namespace {

std::vector<const Device*>& device_list() {
  static std::vector<const Device*> list = {
      &cpu::device(),
      &cuda::device(cuda::kTarget),
  };
  return list;
}

}  // namespace

std::span<const Device* const> devices() { return device_list(); }

const Device* find_device(std::string_view name) {
  if (ascend::is_target(name)) return &ascend::device(name);
  if (cuda::is_target(name)) return &cuda::device(name);
  const auto found = std::ranges::find(devices(), name, [](const Device* device) { return device->target().name; });
  return found != devices().end() ? *found : nullptr;
}

const Device& device_named(std::string_view target) {
  if (const Device* device = find_device(target)) return *device;
  std::string known;
  for (const Device* device : devices())
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", device->target().name);
  fail(ErrorCode::kUnsupported, "compiled for the target '{}', this program runs {}", target, known);
}

RegisteredDevice::RegisteredDevice(const Device& device) { device_list().push_back(&device); }
RegisteredDevice::~RegisteredDevice() { device_list().pop_back(); }

}  // namespace effdet::kernels

namespace effdet {

std::vector<std::string> devices() {
  std::vector<std::string> names;
  for (const kernels::Device* device : kernels::devices()) names.emplace_back(device->target().name);
  return names;
}

}  // namespace effdet
