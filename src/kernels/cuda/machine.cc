// Checks of a GPU and of what its functions return.
#include "kernels/cuda/machine.h"

#include "base/error.h"

namespace effdet::kernels::cuda {
namespace {

/// What the module has code for: compute capability 8.0 and up.
constexpr int kLeastMajor = 8;

struct Meaning {
  ErrorCode kind;
  std::string_view hint;  ///< what to look at
};

Meaning meaning_of(Fault fault) {
  switch (fault) {
    case Fault::kOutOfMemory:
      return {ErrorCode::kOutOfMemory, ""};
    case Fault::kNoDriver:
      return {ErrorCode::kUnsupported, " (is NVIDIA's driver there, and as new as the CUDA of libeffdet_cuda.so?)"};
    case Fault::kNoDevice:
      return {ErrorCode::kUnsupported,
              " (nvidia-smi -L lists GPUs and MIG slices; does CUDA_VISIBLE_DEVICES leave one to this process?)"};
    case Fault::kBusy:
      return {ErrorCode::kIo, " (another process has the GPU for itself: nvidia-smi -q -d COMPUTE tells its mode)"};
    default:
      return {ErrorCode::kIo, ""};
  }
}

}  // namespace

Machine::Machine(const Api& api, int device) : api_(api), device_(device) {
  int count = 0;
  check(api_.device_count(&count), "number of GPUs");
  if (count == 0) fail(ErrorCode::kUnsupported, "device cuda: the driver knows no GPU that this process may use");
  if (device >= count)
    fail(ErrorCode::kUsage, "device cuda:{}: there is no GPU {}, but {}, from 0 on", device, device, count);
  check(api_.properties(device, &properties_), "properties of the GPU");
  if (properties_.major < kLeastMajor)
    fail(ErrorCode::kUnsupported, "device cuda:{}: {} has compute capability {}.{}, which is below {}.0", device,
         properties_.name, properties_.major, properties_.minor, kLeastMajor);
}

void Machine::check(int code, std::string_view what) const {
  if (code == 0) return;
  const auto [kind, hint] = meaning_of(api_.fault(code));
  fail(kind, "device cuda:{}: {}: {}{}", device_, what, api_.error_text(code), hint);
}

std::shared_ptr<std::byte> Machine::allocate(const std::shared_ptr<const Machine>& machine, size_t bytes,
                                             std::string_view what) {
  if (bytes == 0) return nullptr;
  void* memory = nullptr;
  if (const int code = machine->api_.allocate(machine->device_, bytes, &memory); code != 0) {
    Properties now{};
    machine->check(code, machine->api_.properties(machine->device_, &now) != 0
                             ? fmt::format("{} bytes for {}", bytes, what)
                             : fmt::format("{} bytes for {}, where {} of {} are free", bytes, what, now.free_bytes,
                                           now.memory_bytes));
  }
  return {static_cast<std::byte*>(memory),
          [machine](std::byte* freed) { machine->api_.free(machine->device_, freed); }};
}

}  // namespace effdet::kernels::cuda
