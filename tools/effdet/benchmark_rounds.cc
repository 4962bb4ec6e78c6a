// Pure inference: the model alone, on made-up input.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "benchmark.h"
#include "describe.h"
#include "output_file.h"
#include "statistics.h"
#include "timed_runner.h"

namespace effdet::cli {
namespace {

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
  TimedRunner runner(model, options.threads);
  for (int i = 0; i < options.warm_up; ++i) runner.milliseconds();
  std::vector<double> costs;
  for (int i = 0; i < options.rounds; ++i) {
    costs.push_back(runner.milliseconds());
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
  if (options.json) return fmt::print("{}", json_text(rounds_json(options, costs, summary, runner.threads())));
  fmt::print("[INFO] PureInfer result saved in {}\n", options.result.is_absolute() ? file : "./" + file);
  fmt::print("-----------------PureInfer Performance Summary------------------\n");
  fmt::print("[INFO] ave_throughputRate: {}samples/s, ave_latency: {}ms\n", figure(summary.throughput),
             figure(summary.latency));
  fmt::print("----------------------------------------------------------------\n");
}

}  // namespace effdet::cli
