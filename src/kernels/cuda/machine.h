// A GPU by its number, through the functions of a module, with errors as exceptions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kernels/cuda/api.h"

namespace effdet::kernels::cuda {

class Machine {
 public:
  /// Throws Error(kUsage) where there is no device of that number, Error(kUnsupported) where there is no driver, no
  /// device at all, or one that is too old.
  Machine(const Api& api, int device);

  const Api& api() const { return api_; }
  int device() const { return device_; }
  const Properties& properties() const { return properties_; }

  /// Does nothing for 0. Throws Error(kOutOfMemory) where the code says so, Error(kUnsupported) for a driver that is
  /// absent or too old, Error(kIo) else. what: what was to be done.
  void check(int code, std::string_view what) const;

  /// Not cleared. Throws Error(kOutOfMemory), which says how much was free. The memory keeps the machine.
  static std::shared_ptr<std::byte> allocate(const std::shared_ptr<const Machine>& machine, size_t bytes,
                                             std::string_view what);

 private:
  const Api& api_;
  const int device_;
  Properties properties_{};
};

}  // namespace effdet::kernels::cuda
