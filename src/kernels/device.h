// A device: what runs the programs that were compiled for it. The CPU is one (cpu/device.cc); another one is a folder
// beside cpu/ and a row in devices.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "kernels/box_selection.h"
#include "kernels/kernel.h"
#include "kernels/picture_input.h"
#include "ops/target.h"

namespace effdet::kernels {

/// One way to run an operator on a device. Domain "*" and type "*" stand for every one.
struct Implementation {
  std::string_view domain, type;
  std::string_view name;  ///< "cpu:gemm", "reference"
  Plan (*plan)(const PlanContext&);
};

/// How the name ends of an implementation by which a device leaves a step to the processor.
inline constexpr std::string_view kOnHost = ":on_host";

/// Constant, and shared by all engines and sessions.
class Device {
 public:
  virtual ~Device() = default;

  /// What the compiler must know. Its name is what Program::target says.
  virtual const ops::Target& target() const = 0;
  /// All implementations, best first within an operator; what stands for every operator, if anything, comes last.
  virtual std::span<const Implementation> implementations() const = 0;

  /// Whether kernels read and write the host's memory: constants, inputs and outputs are used where they lie then.
  virtual bool uses_host_memory() const = 0;
  /// Memory for kernels, not cleared, aligned to 64 bytes at least. Null for no bytes. Throws
  /// Error(kOutOfMemory), which says what the memory is for.
  virtual std::shared_ptr<std::byte> allocate(size_t bytes, std::string_view what) const = 0;
  /// What a session passes to its kernels, and copies by. Null where kernels run when they are called and need no more
  /// than threads; never null for a device that does not use the host's memory. Its destructor returns when no kernel
  /// of it runs any more: after an error some may still.
  virtual std::unique_ptr<Queue> make_queue() const = 0;

  /// Selects boxes out of candidates in the device's memory, for one session. Null where the device does not: the host
  /// does.
  virtual std::unique_ptr<BoxSelection> make_box_selection(const BoxSelectionShape&) const { return nullptr; }

  /// Prepares pictures in the device's memory, for one session. Null where the device does not: the host does.
  virtual std::unique_ptr<PictureInput> make_picture_input() const { return nullptr; }

  /// The hardware that this is, in characters that a file's name may have: measurements are kept by it.
  virtual std::string hardware() const = 0;
};

/// All devices, the CPU first.
std::span<const Device* const> devices();
/// The device of that name, or null.
const Device* find_device(std::string_view name);
/// The device of a Program::target. Throws Error(kUnsupported) where there is none of that name.
const Device& device_named(std::string_view target);

/// Puts one more device into the list as long as the object lives: for tests. Not while other threads look for devices.
class RegisteredDevice {
 public:
  explicit RegisteredDevice(const Device& device);
  ~RegisteredDevice();
  RegisteredDevice(const RegisteredDevice&) = delete;
  RegisteredDevice& operator=(const RegisteredDevice&) = delete;
};

/// What choose() took for a step, and why not what stands before it in the list.
struct Choice {
  std::string_view implementation;
  std::unique_ptr<Kernel> kernel;
  std::vector<std::string> refusals;  ///< "name: reason"
};
/// The device's first implementation that can run the step. With reference_only, that which stands for every operator.
/// Throws Error(kUnsupported).
Choice choose(const Device& device, const PlanContext& context, bool reference_only = false);

}  // namespace effdet::kernels
