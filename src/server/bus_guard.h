// Keeps the process alive when mapped memory loses its pages.
#pragma once

#include <cstddef>
#include <span>

namespace effdet::server {

/// Who shares memory may make it shorter at any time, and the next access behind its end would end the process
/// (SIGBUS). While a guard lives, such an access to its memory finds zeros instead, which nobody else sees, and goes
/// on. The first guard installs a handler of SIGBUS, which leaves everything else to the one that was there before.
class BusGuard {
 public:
  /// memory: mapped, writable. Throws HttpError(503) where too many guards live.
  explicit BusGuard(std::span<std::byte> memory);
  /// Precondition: nobody uses the memory any more.
  ~BusGuard();
  BusGuard(const BusGuard&) = delete;
  BusGuard& operator=(const BusGuard&) = delete;

  /// Whether pages were missing: from then on, what is behind them is not shared any more.
  bool has_lost() const;

 private:
  size_t slot_;
};

}  // namespace effdet::server
