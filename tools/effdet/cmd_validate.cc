// validate: images to COCO numbers in one process.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <optional>

#include "calibration_options.h"
#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "device_option.h"
#include "effdet/checkpoint.h"
#include "effdet/dataset.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "log.h"
#include "partial_run.h"
#include "plans.h"
#include "progress.h"
#include "quantize_report.h"
#include "report/report_options.h"
#include "report/run_facts.h"
#include "run_options.h"
#include "status_line.h"
#include "stream_options.h"
#include "team_run.h"

namespace effdet::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLogEvery = 10;  // batches

/// Prints what the original prints of each batch.
class BatchLog {
 public:
  explicit BatchLog(size_t batch_size) : batch_size_(batch_size) {}

  void update(size_t done, size_t total, double seconds_an_image) {
    if (done % batch_size_ != 0 && done != total) return;
    const size_t batches = (total + batch_size_ - 1) / batch_size_, batch = (done - 1) / batch_size_;
    const double seconds = seconds_an_image * static_cast<double>(batch_size_);
    sum_ += seconds;
    ++run_;
    if (batch % kLogEvery != 0 && batch + 1 != batches) return;
    const double average = sum_ / static_cast<double>(run_);
    fmt::print("Test: [{:>4d}/{}]  Time: {:.3f}s ({:.3f}s, {:>7.2f}/s)\n", batch, batches, seconds, average,
               static_cast<double>(batch_size_) / average);
    flush_stdout();
  }

 private:
  size_t batch_size_;
  double sum_ = 0;
  size_t run_ = 0;  ///< batches that this run has done
};

/// A proof of another instruction set's mAP is no proof of this one's; a proof that makes no sense is info's to tell.
void warn_of_proof(const std::string& file, const CompiledModel& model) try {
  const auto proof = quantization_proof(model.metadata());
  const std::string elsewhere = proof ? measured_elsewhere(*proof) : "";
  if (!elsewhere.empty()) warn(fmt::format("{}: {}: this run's mAP is what it keeps here", file, elsewhere));
} catch (const Error&) {
}

/// Parameters as PyTorch counts them; of models that do not tell, the values of their weights.
int64_t parameters_of(const CompiledModel& model) {
  return model.parameters().value_or(static_cast<int64_t>(model.weight_bytes() / sizeof(float)));
}

/// What runs and on what, after the original's lines; on standard error where standard output is JSON.
void print_start(const ValidateStart& start, const std::string& file, const CompiledModel& model,
                 const ValidateOptions& options, bool json) {
  if (json && is_quiet()) return;
  const ModelDescription description = model.description();
  const Shard part = options.shard;
  const std::string shard = part.count > 1 ? fmt::format(", shard {}/{}", part.index, part.count) : "";
  const std::string done = start.done > 0 ? fmt::format(", {} of them done before", start.done) : "";
  const RoomForLines room;
  std::FILE* const stream = json ? stderr : stdout;
  fmt::print(stream, "[INFO] model {}: {}, {} classes, {} x {}, batch {}, {}, on {} with {} thread{}\n", file,
             description.model, description.num_classes, description.height, description.width, description.batch,
             precision_of(model), start.device, start.threads, start.threads == 1 ? "" : "s");
  fmt::print(stream, "[INFO] data {}: {} of {} images{}{}, {} categories\n", start.annotations, start.images,
             start.all_images, shard, done, start.categories);
  if (!json) flush_stdout();
}

nlohmann::json report_json(const ValidateReport& report, const ModelDescription& description, int streams) {
  nlohmann::json json = evaluation_json(report.evaluation);
  json["images_total"] = report.total;
  json["complete"] = report.evaluation.images == report.total;
  json["failures"] = failures_json(report.failures);
  json["model"] = description.model;
  json["streams"] = streams;
  json["seconds"] = report.seconds;
  json["inference_seconds"] = report.inference_seconds;
  return json;
}

std::string running_map_text(double map) { return map < 0 ? "" : fmt::format("mAP {:.3f} so far", map); }

RunCounts counts_of(const ValidateReport& report) {
  return {report.evaluation.images, report.failures.size(), report.total};
}

/// What the processes of a team found together, in the first of them; nothing in the others, and after a signal.
std::optional<ValidateReport> report_of_team(TeamRun& team, const DataSource& data, const std::string& results,
                                             const ValidateReport& own, const StopRequest& stop,
                                             const Clock::time_point& start) {
  if (!team.is_first()) return std::nullopt;
  ValidateReport report;
  const bool is_whole = team.join(stop, [&](const std::vector<std::filesystem::path>& shards) {
    report = merge_shards(shards, {.results = results, .listed = data.listed, .on_note = {}, .on_failure = {}});
  });
  if (!is_whole) return std::nullopt;
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report.inference_seconds = own.inference_seconds;
  return report;
}

/// What ran and on what, for a report.
Facts facts_of(const ValidateStart& start, const std::string& file, const CompiledModel& model,
               const ValidateOptions& options) {
  const ModelDescription description = model.description();
  Facts facts = machine_facts();
  add_file(facts, "Model", file);
  facts.emplace_back("Variant", fmt::format("{}, {} classes", description.model, description.num_classes));
  facts.emplace_back("Input",
                     fmt::format("{} x {}, batch {}", description.height, description.width, description.batch));
  facts.emplace_back("Precision", precision_of(model));
  facts.emplace_back("Device", fmt::format("{}, {} threads, {} streams", start.device, start.threads, options.streams));
  add_file(facts, "Annotations", start.annotations);
  facts.emplace_back("Images", fmt::format("{} of {}", start.images, start.all_images));
  facts.emplace_back("Suppression", options.detect.soft_nms ? "soft" : "hard");
  return facts;
}

EvaluationReport report_on(const ValidateReport& report, const std::string& file, const DataSource& data, Facts facts,
                           int streams) {
  const std::string name = std::filesystem::path(file).filename().string();
  const std::filesystem::path place = data.root.empty() ? data.annotations : data.root;
  return {.title = fmt::format("{} on {}", name, place.lexically_normal().string()),
          .facts = std::move(facts),
          .evaluation = report.evaluation,
          .failures = report.failures,
          .speed = ReportSpeed{report.seconds, report.inference_seconds, report.evaluation.images, streams}};
}

}  // namespace

int run_validate(int argc, char** argv) {
  CommandLine line(argc, argv, "Evaluates a model on a data set: images to COCO mAP without files between.",
                   "validate ./coco_data --model=tf_efficientdet_d7 --b=1 --checkpoint=d7.pth\n"
                   "effdet validate coco_data --checkpoint d0.om --results results.json\n"
                   "effdet validate coco_data --checkpoint d0.om --results results.json --resume\n"
                   "effdet validate coco_data --checkpoint d0.om --results results.json --shard 0/4\n"
                   "effdet validate coco_data --checkpoint d0.om --streams auto --report report\n"
                   "effdet validate coco_data --checkpoint d0.pth --precision int8 --calibration photos\n"
                   "effdet validate my_data --checkpoint my_d0.pth --class-names names.txt\n"
                   "effdet validate --annotations labels.json --images photos --checkpoint d0.pth\n"
                   "effdet validate --annotations labels.json --images 'val-{000..063}.tar' --checkpoint d0.om");
  std::string checkpoint, results, pictures;
  DataSourceOptions data_source;
  ModelOptions model_options;
  ValidateOptions options;
  int threads = 0;
  bool json = false, plain = false;
  data_source.add_to(line, "root");
  line.add_option("-c,--checkpoint,--model-file", checkpoint, "checkpoint, ONNX model or compiled model")
      ->required()
      ->type_name("FILE");
  line.add_model_options(model_options);
  line.add_precision(model_options);
  const CLI::Option* batch =
      line.add_option("-b,--b,--batch-size,--batch_size", model_options.batch, "images in one run of the network")
          ->capture_default_str()
          ->transform(between(1, 1024))
          ->type_name("N");
  RunOptions run;
  run.add_to(line, line.add_output("--results", results, "write COCO results here; finished images are kept beside it"),
             "FILE");
  line.add_option("--limit", options.limit, "only the first so many images; 0: all")
      ->transform(between(0, std::numeric_limits<int>::max()))
      ->type_name("N");
  line.add_option("--pictures", pictures, "write images with the detections drawn here")->type_name("DIR");
  line.add_option("--picture-threshold", options.picture_threshold, "score from which boxes are drawn")
      ->capture_default_str()
      ->check(real_number())
      ->type_name("S");
  line.add_soft_nms(options.detect);
  ReportOptions report_options;
  report_options.add_to(line);
  add_category_map(line, options.classes);
  CalibrationOptions calibration;
  calibration.add_to(line);
  StreamOptions streams;
  streams.add_to(line, /*per_stream=*/false);
  add_device(line, model_options);
  line.add_threads(threads);
  line.add_flag("--plain", plain, "the original's lines of progress on a terminal, too, instead of a bar");
  line.add_json(json);
  if (!line.read()) return 0;
  run.apply(results, options);
  run.refuse_shared_input(data_source.lists());
  const DataSource data = data_source.source();
  if (report_options.given() && (run.is_shard() || run.team()))
    throw Error(ErrorCode::kUsage,
                "--report is of a whole run: join the shards to a results file, and give that to "
                "effdet evaluate --report");
  report_options.prepare(options.error_analysis, options.analysis);
  std::optional<TeamRun> team;
  if (run.team()) team.emplace(*run.team(), results, run.lost_after());
  const bool speaks = !team || team->is_first();
  if (run.team()) threads = threads_of_member(*run.team(), threads);
  if (!pictures.empty()) make_output_folder(pictures);
  checkpoint = checkpoint_file(checkpoint);

  const CompiledModel all = open_model(checkpoint, model_options, calibration, threads);
  const CompiledModel model = all.plan(choose_plan(all, model_options, batch->count() > 0, checkpoint));
  const ModelDescription description = model.description();
  if (!json && speaks) {
    fmt::print("Model {} created, param count: {}\n", description.model, parameters_of(model));
    const std::string_view precision = precision_of(model);
    fmt::print("{}Validating in {}.\n", precision == "float32" ? "AMP not enabled. " : "",
               precision);  // as the original
  }
  const StreamLayout layout = streams.resolve(model, threads);
  options.streams = layout.streams;
  if (!json && speaks) streams.print_trials();
  BatchLog log(static_cast<size_t>(description.batch));
  std::optional<ProgressBar> bar(std::in_place, "validate");
  const bool lines = !json && (plain || ::isatty(STDOUT_FILENO) != 1);
  size_t run_images = 0;
  std::atomic<double> running_map = -1;  // of the images that this process has done
  options.progress = [&](size_t done, size_t total, double seconds) {
    if (!speaks) return;
    lines ? log.update(done, total, seconds)
          : bar->update(done + (team ? team->done_elsewhere() : 0), run_images, running_map_text(running_map));
  };
  if (speaks && !lines && ::isatty(STDERR_FILENO) == 1)
    options.on_running_map = [&](double map, size_t) { running_map = map; };
  Facts facts;
  options.pictures = pictures;
  options.classes.names = model_options.class_names;
  options.on_start = [&](const ValidateStart& start) {
    if (team) team->show_life();
    if (!speaks) return;
    run_images = team ? start.run_images : start.images;
    bar->start_at(start.done + (team ? team->done_elsewhere() : 0));
    print_start(start, checkpoint, model, options, json);
    warn_of_proof(checkpoint, model);
    if (report_options.given()) facts = facts_of(start, checkpoint, model, options);
  };
  if (speaks) options.on_note = warn;
  options.on_failure = [](const ImageFailure& failure) { warn(failure.message); };
  StopRequest stop;
  options.stop = &stop.flag();
  const Clock::time_point start = Clock::now();
  ValidateReport report = validate_dataset(data, model, options, threads);
  bar.reset();  // the numbers take its place
  if (team) {
    std::optional<ValidateReport> joined = report_of_team(*team, data, results, report, stop, start);
    if (!joined) return end_of_member(line.program(), report.evaluation.images, report.total, stop, options.journal);
    report = std::move(*joined);
  }
  warn_of(line.program(), checkpoint, report.warning);
  if (json) {
    fmt::print("{}", json_text(report_json(report, description, options.streams)));
  } else {
    print_evaluation_of_run(report.evaluation);
  }
  if (report_options.given())
    report_options.write(report_on(report, checkpoint, data, std::move(facts), options.streams), data, json);
  const int code =
      end_of_run(line.program(), counts_of(report), stop, results.empty() ? "the numbers" : "numbers and results");
  say_what_is_kept(counts_of(report), stop, options.journal);
  return code;
}

}  // namespace effdet::cli
