// How many cores a process has where several of one command run on a machine.
#pragma once

#include <cstddef>

namespace effdet::cli {

struct Cores {
  int bound = 1;    ///< that this process may run on, as its launcher has bound it
  int machine = 1;  ///< that it could be bound to: those of the machine, or of the container
};
Cores cores_of_process();

/// Cores for each of so many processes on this machine, without the binding: at least 1.
int fair_share(const Cores& cores, size_t processes);
/// Threads for each of so many: those that it is bound to, or its share where it is not bound.
int threads_of_share(const Cores& cores, size_t processes);

}  // namespace effdet::cli
