// Measures products a second, and bytes a second to and from memory.
#include "effdet/machine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/cpu/code_products.h"
#include "kernels/cpu/micro_kernels.h"
#include "kernels/cpu/typed.h"

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

/// Tasks for each thread, so that one which wakes up late still finds its share.
constexpr int kTasksAThread = 16;

/// A block as the large layers have it: its operands fit the second-level cache.
constexpr int kRows = 192, kColumns = 6 * cpu::kPanel, kDepth = 384;

/// Operations a second where each of many tasks calls multiply(thread) once.
template <typename F>
double block_rate(ThreadPool& threads, F&& multiply) {
  const int tasks = threads.size() * kTasksAThread;
  const double seconds =
      best_seconds(12, [&] { threads.parallel_for(tasks, [&](int64_t, int thread) { multiply(thread); }); });
  return 2.0 * kRows * kColumns * kDepth * tasks / seconds;
}

/// A block of C for each thread.
template <typename T>
std::vector<std::vector<T>> blocks(const ThreadPool& threads) {
  return std::vector<std::vector<T>>(static_cast<size_t>(threads.size()), std::vector<T>(kRows * kColumns));
}

template <typename T>
double gemm_flops(ThreadPool& threads) {
  const cpu::MicroKernels& micro = cpu::micro_kernels();
  const std::vector<T> a(kRows * kDepth), b(kColumns * kDepth);  // any numbers take as long
  const std::vector<float> bias(kColumns);
  auto c = blocks<T>(threads);
  return block_rate(threads, [&](int thread) {
    cpu::gemm(micro, cpu::GemmBlock<T, T>{.a = a.data(),
                                          .lda = kDepth,
                                          .a_step = 1,
                                          .b = b.data(),
                                          .b_panel = kDepth * cpu::kPanel,
                                          .bias = bias.data(),
                                          .residual = nullptr,
                                          .c = c[static_cast<size_t>(thread)].data(),
                                          .ldc = kColumns,
                                          .m = kRows,
                                          .n = kColumns,
                                          .k = kDepth,
                                          .activation = Activation::kNone,
                                          .a_packed = false});
  });
}

double code_ops(ThreadPool& threads) {
  const cpu::CodeProducts& products = *cpu::micro_kernels().code_products;
  const int bytes = products.pairs ? 2 : 1;
  const std::vector<uint8_t> a(kRows * kDepth);
  const std::vector<uint32_t> b(kColumns * kDepth / cpu::kQuad * bytes);
  const std::vector<int32_t> start(kColumns);
  const std::vector<float> scale(kColumns);
  const cpu::Requantization requantization{};
  auto c = blocks<uint8_t>(threads);
  auto wide = std::vector<std::vector<int16_t>>(c.size(), std::vector<int16_t>(a.size()));
  return block_rate(threads, [&](int thread) {
    products.to_codes({.a = a.data(),
                       .lda = kDepth,
                       .b = b.data(),
                       .b_panel = cpu::kPanel * kDepth / cpu::kQuad * bytes,
                       .start = start.data(),
                       .scale = scale.data(),
                       .residual = nullptr,
                       .residual_scale = 1,
                       .residual_zero_point = 0,
                       .c = c[static_cast<size_t>(thread)].data(),
                       .ldc = kColumns,
                       .m = kRows,
                       .n = kColumns,
                       .k = kDepth,
                       .activation = Activation::kNone,
                       .requantization = &requantization,
                       .wide = wide[static_cast<size_t>(thread)].data()});
  });
}

double copy_bytes(ThreadPool& threads) {
  constexpr size_t kBytes = size_t{64} << 20;
  std::vector<std::byte> source(kBytes), target(kBytes);
  const int tasks = threads.size() * kTasksAThread;
  const size_t share = kBytes / static_cast<size_t>(tasks);
  const double seconds = best_seconds(6, [&] {
    threads.parallel_for(tasks, [&](int64_t task, int) {
      std::memcpy(target.data() + static_cast<size_t>(task) * share, source.data() + static_cast<size_t>(task) * share,
                  share);
    });
  });
  return 2.0 * static_cast<double>(share) * tasks / seconds;
}

}  // namespace
}  // namespace effdet::kernels

namespace effdet {

MachineRates measure_machine(int threads) {
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  return {kernels::gemm_flops<float>(pool), kernels::gemm_flops<Bf16>(pool), kernels::code_ops(pool),
          kernels::copy_bytes(pool)};
}

std::string instruction_set() { return kernels::cpu::micro_kernels().name; }

bool multiplies_bfloat16() { return kernels::cpu::micro_kernels().multiplies_bf16; }

}  // namespace effdet
