// Data mode: the model on every input, and the original's file of figures.
#include <fmt/format.h>

#include <numeric>

#include "benchmark.h"
#include "cli.h"
#include "data_run.h"
#include "describe.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "effdet/output_file.h"
#include "input_paths.h"
#include "plans.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// Milliseconds a sample of each stage.
struct Costs {
  double read, preprocess, infer, post;
};

Costs costs_of(const StageTimes& times, double samples) {
  const auto a_sample = [&](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / samples;
  };
  return {a_sample(times.read), a_sample(times.preprocess), a_sample(times.infer), a_sample(times.post)};
}

void require_images(const std::vector<fs::path>& paths) {
  for (const fs::path& path : paths)
    if (!is_image_name(path))
      throw Error(ErrorCode::kUsage,
                  fmt::format("-useDvpp=True takes .jpg and .png files, and {} is none", path.string()));
}

std::string stage_line(const char* name, double cost) {
  // A stage that did nothing takes no time, and has no rate.
  return fmt::format("[{}] throughputRate: {}, moduleLatency: {}\n", name, figure(cost > 0 ? 1000 / cost : 0),
                     figure(cost));
}

/// The original's file of figures.
std::string report(const StageTimes& times, double samples) {
  const Costs costs = costs_of(times, samples);
  std::string text =
      fmt::format("[e2e] throughputRate: {}, latency: {}\n", figure(1000 * samples / times.total), figure(times.total));
  text += stage_line("data read", costs.read);
  text += stage_line("preprocess", costs.preprocess);
  // The network reads and writes its caller's memory: the time in the interface is the time in the network.
  text += fmt::format("[infer] throughputRate: {0}, Interface throughputRate: {0}, moduleLatency: {1}\n",
                      figure(1000 / costs.infer), figure(costs.infer));
  text += stage_line("post", costs.post);
  return text;
}

nlohmann::json report_json(const BenchmarkOptions& options, const StageTimes& times, size_t count) {
  const double samples = static_cast<double>(count);
  const Costs costs = costs_of(times, samples);
  return {{"mode", "data"},
          {"batch_size", options.batch_size},
          {"streams", options.layout.streams},
          {"samples", count},
          {"throughput", 1000 * samples / times.total},
          {"total_ms", times.total},
          {"stages_ms", stages_json(times)},
          {"peak_memory_bytes", peak_memory()},
          {"sample_ms",
           {{"data_read", costs.read},
            {"preprocess", costs.preprocess},
            {"infer", costs.infer},
            {"execute", costs.infer},
            {"post", costs.post}}}};
}

}  // namespace

void benchmark_data(const BenchmarkOptions& options, const CompiledModel& model, size_t plan) {
  const DataRunOptions run{.inputs = options.input_text_path.empty()
                                         ? folder_inputs(options.input_images_path)
                                         : listed_inputs(options.input_text_path, input_size(model.plan(plan))),
                           .folder = dump_folder(options),
                           .first_output = 1,
                           .format = options.binary ? DumpFormat::kBin : DumpFormat::kTxt,
                           .layout = options.layout,
                           .warm_up = options.warm_up,
                           .plan = plan};
  if (options.dvpp) require_images(run.inputs);
  const StageTimes times = run_on_files(model, run);
  const size_t samples = run.inputs.size() * times.samples_a_file;
  const std::string text = report(times, static_cast<double>(samples));
  write_output(figures_file(options), text);
  if (options.json) return fmt::print("{}", json_text(report_json(options, times, samples)));
  fmt::print("-----------------Performance Summary------------------\n{}", text);
  fmt::print("------------------------------------------------------\n");
  print_stages(times);
}

}  // namespace effdet::cli
