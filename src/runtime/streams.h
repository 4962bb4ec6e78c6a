// Several streams of calls at once. A small network leaves threads idle between its layers; two networks side by side
// fill each other's gaps, at the price of each one's latency.
#pragma once

#include <cstddef>

#include "base/function_ref.h"
#include "effdet/streams.h"

namespace effdet::runtime {

/// With the number of threads said. Throws Error(kUsage) for fewer than one stream.
StreamLayout settled(StreamLayout layout);

/// Threads of each stream when so many share `threads`: at least one.
int threads_a_stream(int threads, int streams);

/// Calls task(item, stream) once for every item in [0, count), items in order of their number, each on the next of
/// `streams` threads (the caller is one) that is free; stream in [0, streams), never the same on two threads at once.
/// Where the system refuses a thread there are fewer. Returns when all are done. After an exception no more items
/// begin, and the first one is rethrown.
void run_streams(size_t streams, size_t count, FunctionRef<void(size_t item, size_t stream)> task);

}  // namespace effdet::runtime
