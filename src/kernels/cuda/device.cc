// GPUs as devices: memory, streams, and what the compiler must know.
#include "kernels/cuda/device.h"

#include <cctype>
#include <charconv>
#include <map>
#include <mutex>

#include "base/error.h"
#include "kernels/cuda/box_selection.h"
#include "kernels/cuda/cuda.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/picture_input.h"
#include "kernels/cuda/queue.h"

namespace effdet::kernels::cuda {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

int number_of(std::string_view name) {
  if (name == kTarget) return 0;
  const std::string_view text = name.substr(kTarget.size() + 1);
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0)
    fail(ErrorCode::kUsage, "device '{}': '{}' is no number of a GPU; write cuda or cuda:1", name, text);
  return number;
}

class Gpu : public Device {
 public:
  Gpu(std::string name, int number, const Api& (*api)())
      : name_(std::move(name)),
        number_(number),
        api_(api),
        target_{.name = name_,
                .packs_weights = true,
                .map_layout = ir::Layout::kNhwc,
                .types = kTypes,
                .keeps_batch = true,
                .joins_pairs = true} {}

  const ops::Target& target() const override { return target_; }
  std::span<const Implementation> implementations() const override { return cuda::implementations(); }
  bool uses_host_memory() const override { return false; }

  std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) const override {
    return Machine::allocate(machine(), bytes, what);
  }
  std::unique_ptr<Queue> make_queue() const override { return std::make_unique<CudaQueue>(machine()); }
  std::unique_ptr<BoxSelection> make_box_selection(const BoxSelectionShape& shape) const override {
    return cuda::make_box_selection(shape);
  }
  std::unique_ptr<PictureInput> make_picture_input() const override { return cuda::make_picture_input(); }

  /// "NVIDIA-H100-80GB-HBM3".
  std::string hardware() const override {
    std::string name = machine()->properties().name;
    for (char& c : name)
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '-';
    return name;
  }

 private:
  /// Looked for again after a failure: a driver may be loaded meanwhile.
  std::shared_ptr<const Machine> machine() const {
    const std::lock_guard lock(mutex_);
    if (machine_ == nullptr) machine_ = std::make_shared<const Machine>(api_(), number_);
    return machine_;
  }

  const std::string name_;
  const int number_;
  const Api& (*const api_)();
  const ops::Target target_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Machine> machine_;
};

}  // namespace

bool is_target(std::string_view name) {
  return name == kTarget || (name.starts_with(kTarget) && name.size() > kTarget.size() && name[kTarget.size()] == ':');
}

std::string_view target_of(std::string_view name) { return is_target(name) ? kTarget : name; }

const Device& device(std::string_view name) {
  static std::mutex mutex;
  static auto& known = *new std::map<std::string, std::unique_ptr<Device>, std::less<>>;
  const std::lock_guard lock(mutex);
  auto found = known.find(name);
  if (found == known.end())
    found = known.emplace(std::string(name), make_device(std::string(name), number_of(name), module_api)).first;
  return *found->second;
}

std::unique_ptr<Device> make_device(std::string name, int number, const Api& (*api)()) {
  return std::make_unique<Gpu>(std::move(name), number, api);
}

}  // namespace effdet::kernels::cuda
