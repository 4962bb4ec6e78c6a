// Asks the scheduler for the cores of the process.
#include "core_share.h"

#include <sched.h>

#include <algorithm>
#include <cstring>
#include <thread>

namespace effdet::cli {
namespace {

int own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace

Cores cores_of_process() {
  Cores cores{own_cores(), own_cores()};
  // The system takes from what a thread asks for what its container does not have. The thread ends with the question.
  std::thread([&] {
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    if (::sched_setaffinity(0, sizeof all, &all) == 0) cores.machine = std::max(cores.bound, own_cores());
  }).join();
  return cores;
}

int fair_share(const Cores& cores, size_t processes) {
  return std::max(1, cores.machine / static_cast<int>(std::clamp<size_t>(processes, 1, 1 << 20)));
}

int threads_of_share(const Cores& cores, size_t processes) {
  return cores.bound < cores.machine ? cores.bound : fair_share(cores, processes);
}

}  // namespace effdet::cli
