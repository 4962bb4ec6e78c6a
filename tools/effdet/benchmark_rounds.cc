// Pure inference: the model alone, on made-up input.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "benchmark.h"
#include "cli.h"
#include "data_run.h"
#include "describe.h"
#include "effdet/output_file.h"
#include "statistics.h"
#include "status_line.h"
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

nlohmann::json rounds_json(const BenchmarkOptions& options, const TimedRounds& rounds, const Summary& summary) {
  nlohmann::json batch = statistics_json(statistics_of(rounds.milliseconds));
  batch["median"] = batch["p50"];
  return {{"mode", "pure_inference"},         {"batch_size", options.batch_size},   {"streams", rounds.layout.streams},
          {"threads", rounds.layout.threads}, {"rounds_ms", rounds.milliseconds},   {"throughput", summary.throughput},
          {"latency_ms", summary.latency},    {"peak_memory_bytes", peak_memory()}, {"batch_ms", batch}};
}

}  // namespace

void benchmark_rounds(const BenchmarkOptions& options, const CompiledModel& model) {
  RoundOptions run{.layout = options.layout, .warm_up = options.warm_up, .rounds = options.rounds};
  if (!options.json)
    run.progress = [](int round, double cost) {
      fmt::print("[INFO] Dataset number: {} finished cost {}ms\n", round, figure(cost));
      flush_stdout();
    };
  const TimedRounds rounds = run_rounds(model, run);
  Summary summary = summarise(rounds.milliseconds, options.batch_size);
  // Streams overlap: what one round takes does not tell how many are done in a second.
  if (rounds.layout.streams > 1) summary.throughput = 1000.0 * options.batch_size * options.rounds / rounds.total;
  const std::string file = figures_file(options).string();
  write_output(file, fmt::format("ave_throughputRate = {}samples/s, ave_latency = {}ms\n", figure(summary.throughput),
                                 figure(summary.latency)));
  if (options.json) return fmt::print("{}", json_text(rounds_json(options, rounds, summary)));
  fmt::print("[INFO] PureInfer result saved in {}\n", options.result.is_absolute() ? file : "./" + file);
  fmt::print("-----------------PureInfer Performance Summary------------------\n");
  fmt::print("[INFO] ave_throughputRate: {}samples/s, ave_latency: {}ms\n", figure(summary.throughput),
             figure(summary.latency));
  fmt::print("----------------------------------------------------------------\n");
  Table table;
  table.add(statistics_headings("batch"));
  table.add(statistics_cells("infer", statistics_of(rounds.milliseconds)));
  table.print();
}

}  // namespace effdet::cli
