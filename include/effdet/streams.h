// Throughput instead of latency: several inferences of one model at the same time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/export.h"

namespace effdet {

/// How threads are divided among concurrent inferences.
struct StreamLayout {
  int streams = 1;  ///< number of concurrent inferences
  int threads = 0;  ///< per stream; 0: EFFDET_NUM_THREADS, or the number of cores, divided by the streams
};

/// Runners of one model. They share its weights; each has its own activations (CompiledModel::arena_bytes()) and
/// threads.
class Streams {
 public:
  /// Allocates all memory that the Runners need. Throws Error(kUsage) for fewer than one stream, Error(kOutOfMemory).
  EFFDET_API Streams(const CompiledModel& model, StreamLayout layout);
  EFFDET_API ~Streams();
  EFFDET_API Streams(Streams&&) noexcept;

  /// The layout in use, with the actual number of threads.
  EFFDET_API StreamLayout layout() const;
  /// stream: 0 to layout().streams - 1.
  EFFDET_API Runner& runner(int stream);

  /// Calls work(item, stream) once for every item in [0, count), each on the next free stream: as many calls run at the
  /// same time as there are streams, but never two on the same stream. work() runs runner(stream), with input and
  /// output memory that no other stream uses. Returns when all items are done. After an exception no more items are
  /// started, and the exception is rethrown. The same input gives the same bits on every stream.
  EFFDET_API void for_each(size_t count, const std::function<void(size_t item, int stream)>& work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Measurement of one layout.
struct StreamTrial {
  StreamLayout layout;
  double images_per_second = 0;
  double milliseconds = 0;  ///< median latency of a batch
};
/// Measures several ways to divide the threads among streams (1, 2, 4, ... streams, and one stream per thread) on
/// made-up input; sorted by images per second, best first. Takes about `seconds` seconds, or longer if a single
/// inference does. threads: as for Runner.
EFFDET_API std::vector<StreamTrial> try_stream_layouts(const CompiledModel& model, int threads = 0, double seconds = 2);

/// `count` pseudo-random values in [-2, 2), roughly the range of a normalised image; the same on every call. For
/// benchmarks: zeros would make a model look faster than it is.
EFFDET_API std::vector<float> made_up_input(size_t count);
/// The bytes of an input of any data type with a fixed shape, the same on every call. Floating-point values are as
/// above; uint8 (image pixels) and bool cover their whole range; other integers are 0, since they may be indices into a
/// table of any length. Throws Error(kUnsupported) for a data type that NumPy does not have.
EFFDET_API std::vector<std::byte> made_up_input(const TensorInfo& input);

}  // namespace effdet
