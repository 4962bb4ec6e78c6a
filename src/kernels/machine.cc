#include "kernels/machine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "kernels/cpu/micro_kernels.h"

namespace effdet::kernels {
namespace {

/// Seconds of the fastest of several runs.
template <typename F>
double best_seconds(int runs, F&& run) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// A block as the large layers have it: its operands fit the second-level cache.
double gemm_flops(ThreadPool& threads) {
  constexpr int kRows = 192, kColumns = 6 * cpu::kPanel, kDepth = 384, kRepeats = 16;
  const cpu::MicroKernels& micro = cpu::micro_kernels();
  const std::vector<float> a(kRows * kDepth, 0.5f), b(kColumns * kDepth, 0.25f), bias(kColumns);
  const size_t team = static_cast<size_t>(threads.size());
  std::vector<std::vector<float>> c(team, std::vector<float>(kRows * kColumns));
  const double seconds = best_seconds(12, [&] {
    threads.parallel_for(threads.size(), [&](int64_t task, int) {
      for (int i = 0; i < kRepeats; ++i)
        micro.gemm({.a = a.data(),
                    .lda = kDepth,
                    .b = b.data(),
                    .b_panel = kDepth * cpu::kPanel,
                    .bias = bias.data(),
                    .residual = nullptr,
                    .c = c[static_cast<size_t>(task)].data(),
                    .ldc = kColumns,
                    .m = kRows,
                    .n = kColumns,
                    .k = kDepth,
                    .activation = cpu::Activation::kNone,
                    .transposed = false});
    });
  });
  return 2.0 * kRows * kColumns * kDepth * kRepeats * static_cast<double>(team) / seconds;
}

double copy_bytes(ThreadPool& threads) {
  constexpr size_t kBytes = size_t{64} << 20;
  std::vector<std::byte> source(kBytes), target(kBytes);
  const size_t share = kBytes / static_cast<size_t>(threads.size());
  const double seconds = best_seconds(6, [&] {
    threads.parallel_for(threads.size(), [&](int64_t task, int) {
      std::memcpy(target.data() + static_cast<size_t>(task) * share, source.data() + static_cast<size_t>(task) * share,
                  share);
    });
  });
  return 2.0 * static_cast<double>(share) * threads.size() / seconds;
}

}  // namespace

MachineRates measure_machine(ThreadPool& threads) { return {gemm_flops(threads), copy_bytes(threads)}; }

}  // namespace effdet::kernels
