// Throughput instead of latency: several inferences of one model at once.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/export.h"

namespace effdet {

/// How many inferences run at once, and on how many threads each.
struct StreamLayout {
  int streams = 1;
  int threads = 0;  ///< of each stream; 0: EFFDET_NUM_THREADS, or the cores, divided by the streams
};

/// Runners of one model, which share its weights; each has activations (CompiledModel::arena_bytes()) and threads of
/// its own.
class Streams {
 public:
  /// Allocates all that the Runners need. Throws Error(kUsage) for less than one stream.
  EFFDET_API Streams(const CompiledModel& model, StreamLayout layout);
  EFFDET_API ~Streams();
  EFFDET_API Streams(Streams&&) noexcept;

  /// With the number of threads settled.
  EFFDET_API StreamLayout layout() const;
  EFFDET_API Runner& runner(int stream);

  /// Calls work(item, stream) once for every item in [0, count), each on the next stream that is free; as many calls
  /// run at once as there are streams, never two of the same stream. work() runs runner(stream), with inputs and
  /// outputs that no other stream uses. Returns when all are done; after an exception no more items begin, and it is
  /// rethrown. Results do not depend on the streams: the same input gives the same bits.
  EFFDET_API void for_each(size_t count, const std::function<void(size_t item, int stream)>& work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A layout with what it reached.
struct StreamTrial {
  StreamLayout layout;
  double images_per_second = 0;
  double milliseconds = 0;  ///< median latency of a batch
};
/// Measures the ways to share the threads among streams (1, 2, 4, ... and one a thread) on made-up input; that with the
/// most images a second comes first. Takes about `seconds` in all, more where a single inference takes longer.
/// threads as for Runner.
EFFDET_API std::vector<StreamTrial> try_stream_layouts(const CompiledModel& model, int threads = 0, double seconds = 2);

/// Values in [-2, 2), about what a normalised picture has, always the same: zeros would make a model look faster than
/// it is.
EFFDET_API std::vector<float> made_up_input(size_t count);
/// Bytes of an input of any type and fixed shape, always the same. Floats are as above, uint8 (pictures) and bool take
/// all values. Other integers are 0: they may be places in a table of any length. Throws Error(kUnsupported) for a type
/// that is not numpy's.
EFFDET_API std::vector<std::byte> made_up_input(const TensorInfo& input);

}  // namespace effdet
