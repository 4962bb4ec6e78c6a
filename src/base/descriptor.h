// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

namespace effdet::inline base {

class Descriptor {
 public:
  /// Takes a descriptor over; a negative one (a failed open) is kept, not closed.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace effdet::inline base
