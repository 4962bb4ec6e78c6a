// profile: how long each step of a model takes, against what the machine can do.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "calibration_options.h"
#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "device_option.h"
#include "effdet/output_file.h"
#include "profile.h"
#include "progress.h"
#include "report/roofline.h"
#include "statistics.h"
#include "timed_runner.h"

namespace effdet::cli {
namespace {

Profile measure(const CompiledModel& model, int runs, int warm_up, int threads) {
  Runner runner(model, threads);
  TimedRunner timed(runner, model);
  Profile profile{.steps = model.steps(), .machine = measure_machine(runner.threads()), .threads = runner.threads()};
  std::vector<std::vector<double>> times(profile.steps.size());
  for (int i = 0; i < warm_up; ++i) timed.run();
  std::vector<double> of_run(times.size());  // a batch may be several micro-batches
  runner.on_step([&](size_t step, double seconds) { of_run[step] += 1e3 * seconds; });
  ProgressBar bar("profile");
  for (int i = 0; i < runs; ++i) {
    bar.update(static_cast<size_t>(i), static_cast<size_t>(runs));
    std::ranges::fill(of_run, 0);
    profile.runs.push_back(timed.run().compute);
    for (size_t step = 0; step < times.size(); ++step) times[step].push_back(of_run[step]);
  }
  for (const auto& of_step : times) profile.milliseconds.push_back(percentile(of_step, 0.5));
  return profile;
}

struct Sum {
  size_t steps = 0;
  double milliseconds = 0, flops = 0, bytes = 0;
};

/// By operator and implementation.
std::map<std::string, Sum> sums(const Profile& profile) {
  std::map<std::string, Sum> result;
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    const CompiledModel::Step& step = profile.steps[i];
    Sum& sum = result[fmt::format("{} {}", step.op, step.implementation)];
    ++sum.steps;
    sum.milliseconds += profile.milliseconds[i];
    sum.flops += static_cast<double>(step.flops);
    sum.bytes += static_cast<double>(step.bytes);
  }
  return result;
}

/// "ms", "share", "GFLOPS", "GB/s" and "of limit" of a row.
std::vector<std::string> figures(const Profile& profile, double milliseconds, double flops, double bytes) {
  return {fmt::format("{:.3f}", milliseconds), fmt::format("{:.1f}%", 100 * milliseconds / profile.total()),
          fmt::format("{:.1f}", flops / milliseconds * 1e-6), fmt::format("{:.1f}", bytes / milliseconds * 1e-6),
          fmt::format("{:.0f}%", 100 * share_of_limit(profile, flops, bytes, milliseconds))};
}

void print_steps(const Profile& profile, bool in_order, size_t most) {
  std::vector<size_t> order(profile.steps.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (!in_order) std::ranges::stable_sort(order, std::greater{}, [&](size_t i) { return profile.milliseconds[i]; });
  order.resize(std::min(order.size(), most));
  Table table;
  table.add({"step", "ms", "share", "GFLOPS", "GB/s", "of limit", "operator", "implementation", "output", "name"});
  for (const size_t i : order) {
    const CompiledModel::Step& step = profile.steps[i];
    std::vector<std::string> row{std::to_string(i)};
    std::ranges::move(
        figures(profile, profile.milliseconds[i], static_cast<double>(step.flops), static_cast<double>(step.bytes)),
        std::back_inserter(row));
    for (const std::string& text : {step.op, step.implementation, shape_text(step.output_shape), step.name})
      row.push_back(one_line(text));
    table.add(row);
  }
  table.print();
}

void print_sums(const Profile& profile) {
  Table table;
  table.add({"steps", "ms", "share", "GFLOPS", "GB/s", "of limit", "operator and implementation"});
  for (const auto& [name, sum] : sums(profile)) {
    std::vector<std::string> row{std::to_string(sum.steps)};
    std::ranges::move(figures(profile, sum.milliseconds, sum.flops, sum.bytes), std::back_inserter(row));
    row.push_back(one_line(name));
    table.add(row);
  }
  table.print();
}

void print(const Profile& profile, bool in_order, size_t most) {
  print_steps(profile, in_order, most);
  fmt::print("\n");
  print_sums(profile);
  fmt::print(
      "\n{} threads, {} runs: median {:.3f} ms, p90 {:.3f}, p99 {:.3f}; steps together {:.3f} ms\n"
      "this machine: {:.1f} GFLOPS in matrix multiplication, {:.1f} in bfloat16, {:.1f} in int8, {:.1f} GB/s in a "
      "copy\n",
      profile.threads, profile.runs.size(), percentile(profile.runs, 0.5), percentile(profile.runs, 0.9),
      percentile(profile.runs, 0.99), profile.total(), profile.machine.flops * 1e-9, profile.machine.bf16_flops * 1e-9,
      profile.machine.int8_ops * 1e-9, profile.machine.bytes * 1e-9);
}

nlohmann::json profile_json(const Profile& profile) {
  nlohmann::json steps = nlohmann::json::array();
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    const CompiledModel::Step& step = profile.steps[i];
    steps.push_back({{"name", step.name},
                     {"op", step.op},
                     {"type", step.type},
                     {"implementation", step.implementation},
                     {"refusals", step.refusals},
                     {"output_shape", step.output_shape},
                     {"flops", step.flops},
                     {"bytes", step.bytes},
                     {"ms", profile.milliseconds[i]}});
  }
  return {{"threads", profile.threads},
          {"runs_ms", profile.runs},
          {"machine",
           {{"flops", profile.machine.flops},
            {"bf16_flops", profile.machine.bf16_flops},
            {"int8_ops", profile.machine.int8_ops},
            {"bytes", profile.machine.bytes}}},
          {"steps", steps}};
}

/// The steps' medians one after the other, in the trace event format of chrome://tracing and Perfetto.
nlohmann::json trace_json(const Profile& profile) {
  nlohmann::json events = nlohmann::json::array();
  double start = 0;  // microseconds
  for (size_t i = 0; i < profile.steps.size(); ++i) {
    const CompiledModel::Step& step = profile.steps[i];
    const double duration = 1e3 * profile.milliseconds[i];
    events.push_back({{"name", step.name},
                      {"cat", step.op},
                      {"ph", "X"},
                      {"pid", 1},
                      {"tid", 1},
                      {"ts", start},
                      {"dur", duration},
                      {"args",
                       {{"implementation", step.implementation},
                        {"output", shape_text(step.output_shape)},
                        {"GFLOPS", static_cast<double>(step.flops) / duration * 1e-3}}}});
    start += duration;
  }
  return {{"traceEvents", events}, {"displayTimeUnit", "ms"}};
}

/// "tf_efficientdet_d0, 1x3x512x512", or with the file's name where the model does not tell its own.
std::string title_of(const CompiledModel& model, const std::filesystem::path& file) {
  const auto metadata = model.metadata();
  const auto name = metadata.find("effdet.variant");
  std::string title = name != metadata.end() ? name->second : file.stem().string();
  for (const TensorInfo& input : model.inputs()) title += ", " + shape_text(input.shape);
  return title;
}

}  // namespace

int run_profile(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Measures each step of a model on made-up input: time, arithmetic and memory rate, and the share of "
                   "what this machine can do.",
                   "effdet profile d0.om\n"
                   "effdet profile d7.onnx --top 20 --threads 1\n"
                   "effdet profile d0.pth --json --trace d0_trace.json\n"
                   "effdet profile d0.om --roofline d0.svg");
  std::string file, trace, roofline;
  ModelOptions options;
  CalibrationOptions calibration;
  int runs = 20, warm_up = 3, threads = 0;
  size_t top = 0;
  size_t plan = 0;
  bool json = false, in_order = false;
  line.add_option("file,-c,--checkpoint,--model-file", file,
                  "compiled model, ONNX model, checkpoint, or a model's name (see download)")
      ->required()
      ->type_name("FILE");
  line.add_option("--runs", runs, "number of measured runs; a step's time is the median")
      ->capture_default_str()
      ->transform(between(1, 10000))
      ->type_name("N");
  line.add_option("--warmup", warm_up, "number of runs before the measurement")
      ->capture_default_str()
      ->transform(between(0, 1000))
      ->type_name("N");
  line.add_option("--plan", plan, "for a model with several input shapes: the plan's number, as `effdet info` shows it")
      ->capture_default_str()
      ->transform(whole_number())
      ->type_name("N");
  line.add_option("--top", top, "show only the N slowest steps; 0: all")->transform(whole_number())->type_name("N");
  line.add_flag("--in-order", in_order, "steps in order of execution, not slowest first");
  line.add_output("--trace", trace, "write a trace for chrome://tracing or Perfetto here");
  line.add_output("--roofline", roofline, "draw each step's rate below the machine's limits here, as SVG");
  line.add_model_options(options);
  line.add_precision(options);
  calibration.add_to(line);
  add_device(line, options.device);
  line.add_threads(threads);
  line.add_json(json);
  if (!line.read()) return 0;

  const CompiledModel model = open_model(checkpoint_file(file), options, calibration, threads).plan(plan);
  const Profile profile = measure(model, runs, warm_up, threads);
  if (!trace.empty()) write_output(trace, json_text(trace_json(profile)));
  if (!roofline.empty()) write_output(roofline, roofline_svg(profile, title_of(model, file)));
  if (json) {
    fmt::print("{}", json_text(profile_json(profile)));
  } else {
    print(profile, in_order, top > 0 ? top : profile.steps.size());
  }
  return 0;
}

}  // namespace effdet::cli
