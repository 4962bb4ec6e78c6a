// The module's twin on the CPU: the same kernels as loops, and memory that is poisoned. For tests.
#pragma once

#include "kernels/cuda/api.h"

namespace effdet::kernels::cuda {

/// One device, whose streams run what they are given at once, and graphs when they are run.
const Api& host_api();

/// Blocks of memory, of those that were given back, that something was written behind.
int host_overruns();

/// Bytes of the device's memory that are in use.
size_t host_memory_used();
/// From now on the device has so many bytes.
void set_host_memory_limit(size_t bytes);
/// From now on the device cannot be found, or not be used, for that reason; kOther: it can.
void set_host_fault(Fault fault);
/// From now on the device has that compute capability, point 0.
void set_host_capability(int major);
/// Which kernel, of those that run from now on, fails as an asynchronous one does: the wait after it gives an error,
/// and so does all that follows. Below 0: none.
void set_host_failing_launch(int launches_from_now);

}  // namespace effdet::kernels::cuda
