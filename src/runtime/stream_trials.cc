// Measurements of the ways to divide threads among streams, on made-up input.
#include "effdet/streams.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/median.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "effdet/output_memory.h"
#include "ir/inspect.h"
#include "runtime/compiled_model_impl.h"
#include "runtime/streams.h"

namespace effdet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::vector<TensorInfo> inputs_of(const CompiledModel& model) {
  return ir::tensor_infos(EngineAccess::first(model)->inputs());
}

/// What a stream works on in a trial.
struct MadeUpBuffers {
  std::vector<std::vector<std::byte>> inputs;
  OutputMemory outputs;

  MadeUpBuffers(const CompiledModel& model, const Runner& runner) : outputs(runner.output_bytes()) {
    for (const TensorInfo& input : inputs_of(model)) inputs.push_back(made_up_input(input));
  }

  double run(Runner& runner) {
    const auto start = Clock::now();
    const std::vector<std::span<const std::byte>> in(inputs.begin(), inputs.end());
    runner.run(in, outputs.outputs());
    return seconds_since(start);
  }
};

/// Runs for about so many seconds after one run of each stream to warm up.
StreamTrial try_layout(const CompiledModel& model, StreamLayout layout, double seconds) {
  Streams streams(model, layout);
  const auto count = static_cast<size_t>(layout.streams);
  std::vector<MadeUpBuffers> buffers;
  for (int stream = 0; stream < layout.streams; ++stream) {
    buffers.emplace_back(model, streams.runner(stream));
    buffers.back().run(streams.runner(stream));
  }
  std::vector<double> times(count);
  const auto measure = [&](size_t item, int stream) {
    times[item] = buffers[static_cast<size_t>(stream)].run(streams.runner(stream));
  };
  streams.for_each(count, measure);  // all at once: how long does a run take then?
  const double rounds = std::clamp(seconds / std::max(median(times), 1e-6), 1.0, 1e5);
  times.resize(count * static_cast<size_t>(rounds));
  const auto start = Clock::now();
  streams.for_each(times.size(), measure);
  const auto shape = inputs_of(model).at(0).shape;
  const double images = static_cast<double>(shape.empty() ? 1 : std::max<int64_t>(1, shape[0]));
  return {layout, images * static_cast<double>(times.size()) / seconds_since(start), 1e3 * median(times)};
}

std::vector<StreamLayout> layouts_of(int threads) {
  std::vector<StreamLayout> layouts;
  for (int streams = 1; streams < threads; streams *= 2)
    layouts.push_back({streams, runtime::threads_a_stream(threads, streams)});
  layouts.push_back({threads, 1});
  return layouts;
}

/// Has all pages of memory that is to be written put there at once: one after the other takes twice as long.
void fetch_pages(std::byte* memory, size_t size) {
  constexpr uintptr_t kPage = 4096;
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t begin = (address + kPage - 1) & ~(kPage - 1), end = (address + size) & ~(kPage - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
}

/// Numbers in [-2, 2) from a linear congruential generator. Each of kStrands states goes that many numbers ahead at a
/// time: a number that is made from the one before it would have to wait for it.
void make_up(std::span<float> values) {
  constexpr size_t kStrands = 8;
  constexpr uint32_t kFactor = 1664525, kAddend = 1013904223;
  uint32_t states[kStrands], factor = 1, addend = 0;  // of as many numbers ahead
  for (uint32_t& state : states) {
    factor *= kFactor;
    addend = addend * kFactor + kAddend;
    state = factor + addend;  // after 1
  }
  const auto step = [&](float& value, uint32_t& state) {
    value = static_cast<float>(static_cast<int32_t>(state >> 8)) / static_cast<float>(1 << 22) - 2.0f;
    state = state * factor + addend;
  };
  size_t i = 0;
  for (; i + kStrands <= values.size(); i += kStrands)
    for (size_t j = 0; j < kStrands; ++j) step(values[i + j], states[j]);
  for (size_t j = 0; i < values.size(); ++i, ++j) step(values[i], states[j]);
}

}  // namespace

std::vector<StreamTrial> try_stream_layouts(const CompiledModel& model, int threads, double seconds) {
  // Several rounds over all, and the best of each: a busy machine should not decide.
  constexpr int kRounds = 2;
  const std::vector<StreamLayout> layouts = layouts_of(threads > 0 ? threads : default_thread_count());
  std::vector<StreamTrial> trials(layouts.size());
  for (int round = 0; round < kRounds; ++round)
    for (size_t i = 0; i < layouts.size(); ++i) {
      const StreamTrial trial =
          try_layout(model, layouts[i], seconds / (kRounds * static_cast<double>(layouts.size())));
      if (round == 0 || trial.images_per_second > trials[i].images_per_second) trials[i] = trial;
    }
  std::ranges::stable_sort(trials, std::greater{}, &StreamTrial::images_per_second);
  return trials;
}

std::vector<float> made_up_input(size_t count) {
  std::vector<float> values(count);
  make_up(values);
  return values;
}

std::vector<std::byte> made_up_input(const TensorInfo& input) {
  const auto dtype = dtype_of_name(input.dtype);
  if (!dtype) fail(ErrorCode::kUnsupported, "input '{}': nothing is made up of type {}", input.name, input.dtype);
  if (*dtype == DType::kF32) {
    const size_t size = artifact::value_bytes({input.name, *dtype, input.shape, {}});
    std::vector<std::byte> bytes;
    bytes.reserve(size);
    fetch_pages(bytes.data(), size);
    bytes.resize(size);
    make_up({reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)});
    return bytes;
  }
  Tensor tensor(*dtype, input.shape);
  const bool is_bool = *dtype == DType::kBool;
  if (is_float(*dtype) || *dtype == DType::kU8 || is_bool) {
    std::vector<float> values = made_up_input(static_cast<size_t>(tensor.numel()));
    for (float& value : values) value = is_float(*dtype) ? value : is_bool ? value < 0 : (value + 2) * 64;
    tensor = Tensor::from<float>(input.shape, values).to(*dtype);
  }
  return {tensor.bytes().begin(), tensor.bytes().end()};
}

}  // namespace effdet
