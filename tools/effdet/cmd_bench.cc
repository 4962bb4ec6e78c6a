// bench: how long a model takes from an image's file to its detections, stage by stage, and how many images it does
// in a second.
#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "calibration_options.h"
#include "commands.h"
#include "data_run.h"
#include "describe.h"
#include "device_option.h"
#include "effdet/dataset.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "effdet/image.h"
#include "effdet/output_memory.h"
#include "input_paths.h"
#include "plans.h"
#include "progress.h"
#include "statistics.h"
#include "stream_options.h"
#include "temporary_folder.h"
#include "timed_runner.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// Milliseconds since the last call, or since it was made.
class Stopwatch {
 public:
  double lap() {
    const auto now = Clock::now();
    return std::chrono::duration<double, std::milli>(now - std::exchange(last_, now)).count();
  }

 private:
  Clock::time_point last_ = Clock::now();
};

/// Images of the usual sizes of photographs for the web.
class MadeUpImages {
 public:
  MadeUpImages() { write_scenes(root_.path(), {.images = 8, .seed = 1, .min_side = 420, .max_side = 640}); }

  std::string folder() const { return image_folder(root_.path()).string(); }

 private:
  TemporaryFolder root_;
};

struct BenchReport {
  StreamLayout layout;
  size_t batch = 1;
  StageTimes times;             ///< empty stages were not measured
  std::vector<double> latency;  ///< milliseconds of a batch through all stages
  std::string warning;          ///< of the decoder

  double images_per_second() const { return 1e3 * static_cast<double>(batch * latency.size()) / times.total; }
};

/// What is before and after the network; the streams share it.
struct Ends {
  ImageInput input;
  DetectionDecoder decoder;
};

/// All stages of a batch, one after the other on the stream's thread, as a server's worker would run them.
class BenchStream {
 public:
  BenchStream(const Ends& ends, const std::vector<fs::path>& files, size_t batch, Runner& runner)
      : ends_(ends),
        files_(files),
        batch_(batch),
        runner_(runner),
        input_(ends.input.batch_bytes()),
        outputs_(runner.output_bytes()) {}

  /// Batch number `item`; the images come round. Returns what it took altogether.
  double run(size_t item) {
    Stopwatch all, watch;
    std::vector<std::pair<int, int>> sizes;
    for (size_t i = 0; i < batch_; ++i) {
      const fs::path& file = files_[(item * batch_ + i) % files_.size()];
      const RgbImage image = read_image(file);
      times_.read.push_back(watch.lap());
      ends_.input.write_to_batch(view_of(image), input_, i, file.string());
      times_.preprocess.push_back(watch.lap());
      sizes.emplace_back(image.width, image.height);
    }
    runner_.run(ends_.input.inputs(input_), outputs_.outputs());
    times_.infer.push_back(watch.lap());
    for (size_t i = 0; i < batch_; ++i) {
      ends_.decoder.decode(outputs_.outputs(), i, sizes[i].first, sizes[i].second);
      times_.post.push_back(watch.lap());
    }
    return all.lap();
  }

  const StageTimes& times() const { return times_; }
  void forget() { times_ = {}; }

 private:
  const Ends& ends_;
  const std::vector<fs::path>& files_;
  size_t batch_;
  Runner& runner_;
  std::vector<std::byte> input_;
  OutputMemory outputs_;
  StageTimes times_;
};

/// How many runs are done, whatever stream did them.
class RunsBar {
 public:
  explicit RunsBar(size_t runs) : runs_(runs) {}

  void add() {
    const std::lock_guard lock(mutex_);
    bar_.update(++done_, runs_);
  }

 private:
  ProgressBar bar_{"bench"};
  std::mutex mutex_;
  size_t runs_, done_ = 0;
};

BenchReport bench_images(const CompiledModel& model, const std::vector<fs::path>& files, StreamLayout layout,
                         int warm_up, int runs) {
  const Ends ends{ImageInput(model), DetectionDecoder(model)};
  Streams streams(model, layout);
  BenchReport report{.layout = streams.layout(), .batch = static_cast<size_t>(batch_of(model))};
  std::deque<BenchStream> workers;
  for (int i = 0; i < report.layout.streams; ++i) {
    workers.emplace_back(ends, files, report.batch, streams.runner(i));
    for (int run = 0; run < warm_up; ++run) workers.back().run(static_cast<size_t>(run));
    workers.back().forget();
  }
  report.latency.resize(static_cast<size_t>(runs));
  RunsBar bar(report.latency.size());
  Stopwatch watch;
  streams.for_each(report.latency.size(), [&](size_t item, int stream) {
    report.latency[item] = workers[static_cast<size_t>(stream)].run(item);
    bar.add();
  });
  report.times.total = watch.lap();
  for (const BenchStream& worker : workers) report.times.append(worker.times());
  report.warning = ends.decoder.warning();
  return report;
}

BenchReport bench_network(const CompiledModel& model, StreamLayout layout, int warm_up, int runs) {
  RunsBar bar(static_cast<size_t>(runs));
  const TimedRounds rounds = run_rounds(
      model, {.layout = layout, .warm_up = warm_up, .rounds = runs, .progress = [&](int, double) { bar.add(); }});
  BenchReport report{
      .layout = rounds.layout, .batch = static_cast<size_t>(batch_of(model)), .latency = rounds.milliseconds};
  report.times.infer = rounds.milliseconds;
  report.times.total = rounds.total;
  return report;
}

void print(const BenchReport& report, int warm_up) {
  fmt::print("streams: {}, of {} threads each; batch {}; {} runs after {} to warm up\n", report.layout.streams,
             report.layout.threads, report.batch, report.latency.size(), warm_up * report.layout.streams);
  print_stages(report.times);
  Table table;
  table.add(statistics_headings("latency"));
  table.add(statistics_cells("batch", statistics_of(report.latency)));
  fmt::print("\n{}\n{:.2f} images a second; peak memory {}\n", table.text(), report.images_per_second(),
             bytes_text(peak_memory()));
}

nlohmann::json bench_json(const BenchReport& report, int warm_up) {
  return {{"streams", report.layout.streams},
          {"threads_per_stream", report.layout.threads},
          {"batch", report.batch},
          {"runs", report.latency.size()},
          {"warm_up", warm_up},
          {"images_per_second", report.images_per_second()},
          {"latency_ms", statistics_json(statistics_of(report.latency))},
          {"stages_ms", stages_json(report.times)},
          {"peak_memory_bytes", peak_memory()}};
}

std::vector<fs::path> images_of(const std::string& folder) {
  std::vector<fs::path> files = files_of(folder, is_image_name);
  if (files.empty())
    throw Error(ErrorCode::kBadInput, fmt::format("{}: no pictures in this folder ({})", folder, image_extensions()));
  return files;
}

}  // namespace

int run_bench(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Measures a model from images to detections: latency of each stage with percentiles, and images a "
                   "second.",
                   "effdet bench d0.om\n"
                   "effdet bench d0.om --images photos --streams 2 --threads-per-stream 1 --runs 500\n"
                   "effdet bench d0.pth --infer-only --streams auto --json");
  std::string file, images;
  ModelOptions options;
  CalibrationOptions calibration;
  StreamOptions streams;
  int runs = 50, warm_up = 3, threads = 0;
  bool json = false, infer_only = false;
  line.add_option("file,-c,--checkpoint,--model-file", file, "compiled model, ONNX model or checkpoint")
      ->required()
      ->type_name("FILE");
  CLI::Option* folder =
      line.add_option("--images", images, "folder of images; default: made-up ones")->type_name("DIR");
  line.add_flag("--infer-only", infer_only, "the network alone, on made-up input; takes any model")->excludes(folder);
  line.add_option("--runs", runs, "number of measured batches")
      ->capture_default_str()
      ->transform(between(1, 1000000))
      ->type_name("N");
  line.add_option("--warmup", warm_up, "number of batches of each stream before the measurement")
      ->capture_default_str()
      ->transform(between(0, 1000))
      ->type_name("N");
  streams.add_to(line);
  line.add_model_options(options);
  line.add_precision(options);
  calibration.add_to(line);
  const CLI::Option* batch = line.add_option("-b,--batch-size", options.batch, "images in one run of the network")
                                 ->transform(between(1, 1024))
                                 ->type_name("N");
  add_device(line, options);
  line.add_threads(threads);
  line.add_json(json);
  if (!line.read()) return 0;

  const CompiledModel all = open_model(file, options, calibration, threads);
  const CompiledModel model = all.plan(choose_plan(all, options, batch->count() > 0, file));
  std::optional<MadeUpImages> made_up;
  if (!infer_only && images.empty()) images = made_up.emplace().folder();
  const StreamLayout layout = streams.resolve(model, threads);
  if (!json) streams.print_trials();
  const BenchReport report = infer_only ? bench_network(model, layout, warm_up, runs)
                                        : bench_images(model, images_of(images), layout, warm_up, runs);
  warn_of(line.program(), file, report.warning);
  if (!json) {
    print(report, warm_up);
    return 0;
  }
  nlohmann::json result = bench_json(report, warm_up);
  if (!streams.trials().empty()) result["trials"] = streams.trials_json();
  fmt::print("{}", json_text(result));
  return 0;
}

}  // namespace effdet::cli
