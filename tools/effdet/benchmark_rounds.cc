// Pure inference: the model alone, on made-up input.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "benchmark.h"
#include "describe.h"
#include "output_file.h"

namespace effdet::cli {
namespace {

/// Values in [-2, 2), about what a normalised picture has: zeros would make some operators faster than they are.
std::vector<float> made_up_input(size_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) / static_cast<float>(1 << 22) - 2.0f;
  }
  return values;
}

/// A runner with memory for its inputs and outputs.
class Bench {
 public:
  explicit Bench(const CompiledModel& model, int threads) : runner_(model, threads) {
    for (const size_t bytes : runner_.input_bytes()) inputs_.push_back(made_up_input(bytes / sizeof(float)));
    for (const size_t bytes : runner_.output_bytes()) outputs_.emplace_back(bytes);
    for (const auto& input : inputs_) input_spans_.push_back(std::as_bytes(std::span(input)));
    for (auto& output : outputs_) output_spans_.emplace_back(output);
  }

  double milliseconds() {
    const auto start = std::chrono::steady_clock::now();
    runner_.run(input_spans_, output_spans_);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  int threads() const { return runner_.threads(); }

 private:
  Runner runner_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> input_spans_;
  std::vector<std::span<std::byte>> output_spans_;
};

/// As the original means them: throughput is the mean of the rounds' throughputs.
struct Summary {
  double throughput = 0, latency = 0;  ///< samples a second, milliseconds a sample
};

Summary summarise(const std::vector<double>& costs, double batch) {
  Summary summary;
  for (const double cost : costs) {
    summary.throughput += 1000 * batch / cost;
    summary.latency += cost / batch;
  }
  summary.throughput /= static_cast<double>(costs.size());
  summary.latency /= static_cast<double>(costs.size());
  return summary;
}

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5)];
}

nlohmann::json rounds_json(const BenchmarkOptions& options, const std::vector<double>& costs, const Summary& summary,
                           int threads) {
  return {{"mode", "pure_inference"},
          {"batch_size", options.batch_size},
          {"threads", threads},
          {"rounds_ms", costs},
          {"throughput", summary.throughput},
          {"latency_ms", summary.latency},
          {"batch_ms",
           {{"min", percentile(costs, 0)},
            {"median", percentile(costs, 0.5)},
            {"p90", percentile(costs, 0.9)},
            {"p99", percentile(costs, 0.99)},
            {"max", percentile(costs, 1)}}}};
}

}  // namespace

void run_rounds(const BenchmarkOptions& options, const CompiledModel& model) {
  Bench bench(model, options.threads);
  for (int i = 0; i < options.warm_up; ++i) bench.milliseconds();
  std::vector<double> costs;
  for (int i = 0; i < options.rounds; ++i) {
    costs.push_back(bench.milliseconds());
    if (options.json) continue;
    fmt::print("[INFO] Dataset number: {} finished cost {}ms\n", i, figure(costs.back()));
    std::fflush(stdout);
  }
  const Summary summary = summarise(costs, options.batch_size);
  make_folder(options.result);
  const std::string file = fmt::format("{}/PureInfer_perf_of_{}_in_device_{}.txt", options.result.string(),
                                       std::filesystem::path(options.om_path).stem().string(), options.device_id);
  write_output(file, fmt::format("ave_throughputRate = {}samples/s, ave_latency = {}ms\n", figure(summary.throughput),
                                 figure(summary.latency)));
  if (options.json) return fmt::print("{}", json_text(rounds_json(options, costs, summary, bench.threads())));
  fmt::print("[INFO] PureInfer result saved in {}\n", options.result.is_absolute() ? file : "./" + file);
  fmt::print("-----------------PureInfer Performance Summary------------------\n");
  fmt::print("[INFO] ave_throughputRate: {}samples/s, ave_latency: {}ms\n", figure(summary.throughput),
             figure(summary.latency));
  fmt::print("----------------------------------------------------------------\n");
}

}  // namespace effdet::cli
