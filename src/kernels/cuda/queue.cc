// Puts copies, kernels and products into a stream, and records them.
#include "kernels/cuda/queue.h"

#include <cstdlib>

#include "base/error.h"

namespace effdet::kernels::cuda {
namespace {

/// Whether CUDA itself waits for each kernel: the step that failed is known then. It records nothing.
bool waits_for_each_kernel() {
  const char* value = std::getenv("CUDA_LAUNCH_BLOCKING");
  return value != nullptr && std::string_view(value) != "0" && *value != '\0';
}

class RecordedGraph : public Recording {
 public:
  RecordedGraph(std::shared_ptr<const Machine> machine, Stream* stream, Graph* graph)
      : machine_(std::move(machine)), stream_(stream), graph_(graph) {}
  ~RecordedGraph() override { machine_->api().free_graph(graph_); }
  RecordedGraph(const RecordedGraph&) = delete;
  RecordedGraph& operator=(const RecordedGraph&) = delete;
  void run() override { machine_->check(machine_->api().run_graph(stream_, graph_), "start of a recorded run"); }

 private:
  const std::shared_ptr<const Machine> machine_;
  Stream* const stream_;
  Graph* const graph_;
};

}  // namespace

CudaQueue::CudaQueue(std::shared_ptr<const Machine> machine) : machine_(std::move(machine)) {
  machine_->check(machine_->api().make_stream(machine_->device(), &stream_), "a stream");
}

// After an error kernels may still run, on memory that goes next. What the wait says has been said.
CudaQueue::~CudaQueue() {
  machine_->api().wait(stream_);
  machine_->api().free_stream(stream_);
}

void CudaQueue::upload(std::span<const std::byte> from, std::byte* to) {
  if (!from.empty()) check(machine_->api().upload(stream_, from.data(), to, from.size()), "copy to the GPU");
}

void CudaQueue::download(const std::byte* from, std::span<std::byte> to) {
  if (!to.empty()) check(machine_->api().download(stream_, from, to.data(), to.size()), "copy from the GPU");
}

void CudaQueue::wait() {
  const int code = machine_->api().wait(stream_);
  if (code == 0 || waits_for_each_kernel()) return check(code, "run");
  machine_->check(code, "run, of which CUDA_LAUNCH_BLOCKING=1 tells the step");
}

std::unique_ptr<Recording> CudaQueue::record(FunctionRef<void()> steps) {
  if (waits_for_each_kernel()) return nullptr;
  check(machine_->api().begin_graph(stream_), "start of a recording");
  Graph* graph = nullptr;
  try {
    steps();
  } catch (...) {
    if (machine_->api().end_graph(stream_, &graph) == 0) machine_->api().free_graph(graph);
    throw;
  }
  step_ = nullptr;
  check(machine_->api().end_graph(stream_, &graph), "end of a recording");
  return std::make_unique<RecordedGraph>(machine_, stream_, graph);
}

void CudaQueue::launch(const Launch& launch) {
  constexpr int64_t kMostBlocks = (int64_t{1} << 31) - 1;
  if (launch.blocks == 0) return;
  if (launch.blocks > kMostBlocks)
    fail(ErrorCode::kUnsupported, "device cuda: step '{}' is too large for one kernel", *step_);
  check(machine_->api().launch(stream_, &launch), "start of a kernel");
}

void CudaQueue::gemm(const Gemm& gemm) {
  const int code = machine_->api().gemm(stream_, &gemm);
  if (machine_->api().fault(code) != Fault::kNoProduct) return check(code, "start of a product");
  const auto multiply = [&](auto in, auto out) {
    using Kernel = PlainProduct<decltype(in), decltype(out)>;
    const auto tiles = [](int64_t side) { return (side + Kernel::kSide - 1) / Kernel::kSide; };
    launch<Kernel>(gemm.batch * tiles(gemm.rows) * tiles(gemm.columns), Kernel::kThreads, Kernel::kSharedBytes, gemm);
  };
  const auto from = [&](auto in) {
    if (gemm.out == Element::kF32) return multiply(in, 0.0f);
    multiply(in, in);
  };
  if (gemm.in == Element::kF16) return from(Fp16{});
  if (gemm.in == Element::kBf16) return from(Bf16{});
  from(0.0f);
}

void CudaQueue::check(int code, const char* what) const {
  if (code == 0) return;
  if (step_ == nullptr) machine_->check(code, what);
  machine_->check(code, fmt::format("{}, step '{}'", what, *step_));
}

}  // namespace effdet::kernels::cuda
