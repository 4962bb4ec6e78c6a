// The module's functions on the CPU. Blocks of a launch run in an order that differs from launch to launch.
#include "kernels/cuda/host_api.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/cuda/host_block.h"
#include "kernels/cuda/kernel_list.h"

namespace effdet::kernels::cuda {

/// Of the twin: runs what it is given when it is given, or keeps it.
struct Stream {
  std::vector<std::function<int()>>* recording = nullptr;
  int failure = 0;  ///< of a kernel: the next wait tells it
};
struct Graph {
  std::vector<std::function<int()>> calls;
};

namespace {

/// Codes of the twin: 0, from 1 on the faults that have a meaning, and others.
enum : int { kSuccess, kOutOfMemory, kNoProduct = static_cast<int>(Fault::kNoProduct), kInvalidValue, kKernelFailed };
static_assert(kOutOfMemory == static_cast<int>(Fault::kOutOfMemory));

constexpr size_t kMostMemory = size_t{1} << 40;
std::atomic<size_t> memory_limit = kMostMemory;
std::atomic<size_t> memory_used = 0;
std::atomic<int> failing_launch = -1;
std::atomic<Fault> missing = Fault::kOther;
std::atomic<int> capability = 9;
std::atomic<uint32_t> launches = 0;
std::atomic<int> overruns = 0;

const char* error_text(int code) {
  switch (code) {
    case kOutOfMemory:
      return "out of memory";
    case static_cast<int>(Fault::kNoDriver):
      return "no driver";
    case static_cast<int>(Fault::kNoDevice):
      return "no device";
    case static_cast<int>(Fault::kBusy):
      return "busy";
    case kKernelFailed:
      return "a kernel failed";
    default:
      return "invalid value";
  }
}

template <typename Kernel>
void run_blocks(const Launch& launch) {
  const auto& args = *static_cast<const typename Kernel::Args*>(launch.args);
  const uint32_t seed = ++launches;
  HostBlock block(launch.threads, static_cast<size_t>(launch.shared_bytes), seed);
  std::vector<int64_t> order(static_cast<size_t>(launch.blocks));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::minstd_rand(seed));
  for (const int64_t index : order) {
    block.begin(index);
    Kernel::run(block, args);
  }
}

/// What a kernel of the list needs to be called.
struct Entry {
  void (*run)(const Launch& launch);
  size_t args_bytes;
};
template <typename... Kernels>
constexpr auto entries_of(List<Kernels...>) {
  return std::to_array<Entry>({{run_blocks<Kernels>, sizeof(typename Kernels::Args)}...});
}
constexpr auto kEntries = entries_of(AllKernels());

int put(Stream& stream, std::function<int()> call) {
  if (stream.recording == nullptr) return call();
  stream.recording->push_back(std::move(call));
  return kSuccess;
}

int launch(Stream* stream, const Launch* launch) {
  if (launch->kernel < 0 || launch->kernel >= static_cast<int>(kEntries.size()) || launch->threads > 1024)
    return kInvalidValue;
  const Entry& entry = kEntries[static_cast<size_t>(launch->kernel)];
  std::vector<std::max_align_t> args((entry.args_bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
  std::memcpy(args.data(), launch->args, entry.args_bytes);
  return put(*stream, [stream, &entry, args = std::move(args), own = *launch]() mutable {
    if (failing_launch >= 0 && failing_launch-- == 0) stream->failure = kKernelFailed;
    own.args = args.data();
    if (stream->failure == 0) entry.run(own);
    const bool waits = std::getenv("CUDA_LAUNCH_BLOCKING") != nullptr;
    return waits ? stream->failure : kSuccess;
  });
}

template <typename T>
std::vector<float> floats_of(const T* from, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  std::transform(from, from + count, values.begin(), [](T value) { return to_float(value); });
  return values;
}

template <typename In, typename Out>
void multiply(const Gemm& g) {
  for (int64_t matrix = 0; matrix < g.batch; ++matrix) {
    const auto w = floats_of(static_cast<const In*>(g.w) + matrix * g.w_step, g.depth * g.w_stride);
    for (int64_t row = 0; row < g.rows; ++row) {
      const auto x = floats_of(static_cast<const In*>(g.x) + matrix * g.x_step + row * g.depth, g.depth);
      std::vector<float> sums(static_cast<size_t>(g.w_stride));
      for (size_t k = 0; k < x.size(); ++k)
        for (size_t column = 0; column < sums.size(); ++column) sums[column] += x[k] * w[k * sums.size() + column];
      for (int64_t column = 0; column < g.columns; ++column) {
        const int64_t at = matrix * g.y_step + (g.y_is_transposed ? column * g.rows + row : row * g.columns + column);
        float sum = sums[static_cast<size_t>(column)];
        if (g.bias != nullptr) sum += to_float(static_cast<const Out*>(g.bias)[column]);
        if (g.residual != nullptr) sum += to_float(static_cast<const Out*>(g.residual)[at]);
        static_cast<Out*>(g.y)[at] = from_float<Out>(sum);
      }
    }
  }
}

int run_gemm(const Gemm& g) {
  if (g.in == Element::kF32 && g.out == Element::kF32) return multiply<float, float>(g), kSuccess;
  if (g.in == Element::kF16 && g.out == Element::kF16) return multiply<Fp16, Fp16>(g), kSuccess;
  if (g.in == Element::kBf16 && g.out == Element::kBf16) return multiply<Bf16, Bf16>(g), kSuccess;
  if (g.in == Element::kF16 && g.out == Element::kF32) return multiply<Fp16, float>(g), kSuccess;
  if (g.in == Element::kBf16 && g.out == Element::kF32) return multiply<Bf16, float>(g), kSuccess;
  return kInvalidValue;
}

int gemm(Stream* stream, const Gemm* gemm) {
  if (gemm->depth % 2 != 0) return kNoProduct;  // so that tests meet both
  return put(*stream, [stream, own = *gemm] { return stream->failure == 0 ? run_gemm(own) : kSuccess; });
}

/// As cudaMalloc aligns. Before a block of memory stands its size, behind it what nobody may change.
constexpr size_t kAlignment = 256, kGuardBytes = 64;
constexpr int kGuard = 0xA5;

int allocate(int, size_t bytes, void** memory) {
  if (memory_used + bytes > memory_limit) return kOutOfMemory;
  void* block = nullptr;
  if (::posix_memalign(&block, kAlignment, kAlignment + bytes + kGuardBytes) != 0) return kOutOfMemory;
  std::memcpy(block, &bytes, sizeof bytes);
  *memory = static_cast<std::byte*>(block) + kAlignment;
  poison(*memory, bytes);
  std::memset(static_cast<std::byte*>(*memory) + bytes, kGuard, kGuardBytes);
  memory_used += bytes;
  return kSuccess;
}

int free_memory(int, void* memory) {
  std::byte* block = static_cast<std::byte*>(memory) - kAlignment;
  size_t bytes = 0;
  std::memcpy(&bytes, block, sizeof bytes);
  const std::byte* guard = block + kAlignment + bytes;
  if (std::any_of(guard, guard + kGuardBytes, [](std::byte b) { return b != std::byte{kGuard}; })) ++overruns;
  memory_used -= bytes;
  std::free(block);
  return kSuccess;
}

int wait(Stream* stream) { return stream->failure; }

int copy(Stream* stream, const void* from, void* to, size_t bytes) {
  if (stream->recording != nullptr) return kInvalidValue;  // they wait, which a recording cannot
  if (stream->failure == 0) std::memcpy(to, from, bytes);
  return stream->failure;
}

Fault fault(int code) { return code <= static_cast<int>(Fault::kNoProduct) ? static_cast<Fault>(code) : Fault::kOther; }

int device_count(int* count) {
  *count = 1;
  return static_cast<int>(missing.load());
}

int properties(int, Properties* properties) {
  *properties = {.name = "host twin", .major = capability, .minor = 0};
  properties->memory_bytes = static_cast<int64_t>(memory_limit.load());
  properties->free_bytes = static_cast<int64_t>(memory_limit - memory_used);
  return kSuccess;
}

int begin_graph(Stream* stream) {
  stream->recording = new std::vector<std::function<int()>>;
  return kSuccess;
}

int end_graph(Stream* stream, Graph** graph) {
  *graph = new Graph{std::move(*stream->recording)};
  delete std::exchange(stream->recording, nullptr);
  return kSuccess;
}

int run_graph(Stream*, Graph* graph) {
  for (const auto& call : graph->calls)
    if (const int code = call(); code != kSuccess) return code;
  return kSuccess;
}

constexpr Api kHostApi = {
    .version = kApiVersion,
    .error_text = error_text,
    .fault = fault,
    .device_count = device_count,
    .properties = properties,
    .allocate = allocate,
    .free = free_memory,
    .make_stream = [](int, Stream** stream) -> int { return *stream = new Stream, kSuccess; },
    .free_stream = [](Stream* stream) -> int { return delete stream, kSuccess; },
    .upload = copy,
    .download = copy,
    .wait = wait,
    .launch = launch,
    .gemm = gemm,
    .begin_graph = begin_graph,
    .end_graph = end_graph,
    .run_graph = run_graph,
    .free_graph = [](Graph* graph) -> int { return delete graph, kSuccess; },
};

}  // namespace

const Api& host_api() { return kHostApi; }

int host_overruns() { return overruns; }
size_t host_memory_used() { return memory_used; }
void set_host_memory_limit(size_t bytes) { memory_limit = bytes; }
void set_host_fault(Fault fault) { missing = fault; }
void set_host_capability(int major) { capability = major; }
void set_host_failing_launch(int launches_from_now) { failing_launch = launches_from_now; }

}  // namespace effdet::kernels::cuda
