// Measures compiled models on a GPU, and its ceilings: a large product and a copy. Prints one JSON object.
//
//   gpu_bench [--seconds S] MODEL.om ...
//
// A run is measured from the input in the GPU's memory to the outputs there; copies from and to the host apart.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/om_file.h"
#include "base/error.h"
#include "base/median.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/queue.h"
#include "kernels/cuda/typed.h"
#include "runtime/engine.h"

namespace {

using namespace effdet;

double seconds_of(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Median seconds of a call that is repeated for so long.
double median_seconds(double budget, const std::function<void()>& call) {
  std::vector<double> times;
  for (double spent = 0; spent < budget || times.size() < 5;) spent += times.emplace_back(seconds_of(call));
  return median(times);
}

struct Ceilings {
  double flops, bytes;  ///< a second: of float16 products, and read and written by a copy
};

/// By the library's own calls: cuBLASLt, and the kernel that applies an activation.
Ceilings ceilings_of(const kernels::Device& device) {
  constexpr int64_t kSide = 8192, kValues = int64_t{1} << 28;
  const auto queue = device.make_queue();
  auto& cuda = dynamic_cast<kernels::cuda::CudaQueue&>(*queue);
  const std::string step = "ceiling";
  cuda.begin_step(step);
  const auto a = device.allocate(2 * kValues, "a ceiling"), b = device.allocate(2 * kValues, "a ceiling"),
             y = device.allocate(2 * kValues, "a ceiling");
  const std::vector<std::byte> zeros(2 * kValues);
  for (const auto& memory : {a, b}) cuda.upload(zeros, memory.get());
  const auto in_time = [&](const std::function<void()>& call) {
    constexpr int kCalls = 10;
    const auto all = [&] {
      for (int i = 0; i < kCalls; ++i) call();
      cuda.wait();
    };
    all();
    return median_seconds(1, all) / kCalls;
  };
  const double product = in_time([&] {
    cuda.gemm({.in = kernels::cuda::Element::kF16,
               .out = kernels::cuda::Element::kF16,
               .rows = kSide,
               .columns = kSide,
               .depth = kSide,
               .w_stride = kSide,
               .batch = 1,
               .x_step = 0,
               .w_step = 0,
               .y_step = 0,
               .y_is_transposed = false,
               .x = a.get(),
               .w = b.get(),
               .bias = nullptr,
               .residual = nullptr,
               .y = y.get()});
  });
  const double copy = in_time([&] {
    using kernels::cuda::Fp16;
    constexpr int kPack = kernels::cuda::kPackOf<Fp16>;
    cuda.launch_each<kernels::cuda::Finish<Fp16, kPack>>(kValues / kPack,
                                                         {a.get(), y.get(), nullptr, kValues, 1, 1, Activation::kNone});
  });
  return {2.0 * kSide * kSide * kSide / product, 4.0 * kValues / copy};
}

std::string measured(const std::string& path, double seconds) {
  std::vector<artifact::Program> programs = artifact::read_om(path);
  const auto engine = std::make_shared<const runtime::Engine>(std::move(programs.at(0)));
  runtime::Session session(engine, 4);
  std::vector<Tensor> inputs;
  for (const ir::Value& value : engine->inputs()) inputs.emplace_back(value.dtype, *value.shape);
  for (int i = 0; i < 5; ++i) session.run(inputs);
  std::vector<double> runs, up, down;
  for (double spent = 0; spent < seconds || runs.size() < 5;) {
    const double whole = seconds_of([&] { session.run(inputs); });
    spent += whole;
    up.push_back(session.upload_seconds);
    down.push_back(session.download_seconds);
    runs.push_back(session.run_seconds);
  }
  return fmt::format(
      R"({{"model": "{}", "batch": {}, "ms": {:.4f}, "best_ms": {:.4f}, "upload_ms": {:.4f}, "download_ms": {:.4f}}})",
      path, engine->input(0).shape->at(0), 1e3 * median(runs), 1e3 * *std::ranges::min_element(runs), 1e3 * median(up),
      1e3 * median(down));
}

}  // namespace

int main(int argc, char** argv) try {
  double seconds = 3;
  std::string results;
  const kernels::Device& device = kernels::cuda::device(kernels::cuda::kTarget);
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--seconds" && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
      continue;
    }
    results += (results.empty() ? "" : ",\n  ") + measured(argv[i], seconds);
  }
  const Ceilings ceilings = ceilings_of(device);
  fmt::print("{{\"gpu\": \"{}\", \"flops\": {:.4g}, \"bytes\": {:.4g}, \"runs\": [\n  {}]}}\n", device.hardware(),
             ceilings.flops, ceilings.bytes, results);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "gpu_bench: error: %s\n", error.what());
  return 1;
}
