// benchmark: runs a compiled model on files, or measures it alone. Flags, files and printed lines are those of the
// original benchmark.x86_64.
#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "benchmark.h"
#include "cli.h"
#include "commands.h"
#include "data_run.h"
#include "device_option.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "plans.h"
#include "stream_options.h"
#include "switch_option.h"

namespace effdet::cli {
namespace {

/// The side that a flag gives, where it gives one, against the model's.
void warn_of_size(const char* flag, int64_t given, int64_t side) {
  if (given != 0 && side != 0 && side != given)
    warn(fmt::format("{}={} is not the model's {}, which counts", flag, given, side));
}

void check(const BenchmarkOptions& options) {
  if (options.model_type != "vision")
    throw Error(ErrorCode::kUnsupported,
                fmt::format("-model_type: '{}' is not handled, only vision", options.model_type));
  const int inputs = !options.input_text_path.empty() + !options.input_images_path.empty() + (options.rounds > 0);
  if (inputs != 1)
    throw Error(ErrorCode::kUsage, "give one of -input_text_path=LIST, -input_imgFiles_path=FOLDER and -round=N");
  if (options.dvpp && options.rounds > 0)
    throw Error(ErrorCode::kUsage, "-useDvpp=True is for images, but -round=N runs on made-up input");
}

/// The plan for the wanted batch. Of a model with several sizes, that which the flags tell, or else the first.
size_t choose_plan(const BenchmarkOptions& options, const CompiledModel& model) {
  PlanWish wish{.batch = options.batch_size, .size = {}};
  if (model.plan_count() > 1) wish.size = {options.input_width, options.input_height};
  if (!options.dynamic_size.empty()) wish.size = parse_size("-dymHW", options.dynamic_size);
  return find_plan(model, wish, options.om_path);
}

void check_model(const BenchmarkOptions& options, const CompiledModel& model) {
  if (options.dvpp && !model.aipp())
    throw Error(ErrorCode::kUsage,
                fmt::format("-useDvpp=True needs preprocessing in the model, which {} has not: compile it with atc "
                            "--insert_op_conf, or leave -useDvpp out",
                            options.om_path));
  const InputSize size = input_size(model);
  warn_of_size("-input_width", options.input_width, size.width);
  warn_of_size("-input_height", options.input_height, size.height);
}

}  // namespace

std::filesystem::path dump_folder(const BenchmarkOptions& options) {
  return options.result / fmt::format("dumpOutput_device{}", options.device_id);
}

std::filesystem::path figures_file(const BenchmarkOptions& options) {
  if (options.rounds > 0)
    return options.result / fmt::format("PureInfer_perf_of_{}_in_device_{}.txt",
                                        std::filesystem::path(options.om_path).stem().string(), options.device_id);
  return options.result /
         fmt::format("perf_{}_batchsize_{}_device_{}.txt", options.model_type, options.batch_size, options.device_id);
}

std::string figure(double value) { return fmt::format("{:g}", value); }

int run_benchmark(int argc, char** argv) {
  CommandLine line(argc, argv, "Runs a compiled model on input files, or measures it alone.",
                   "benchmark.x86_64 -model_type=vision -batch_size=1 -om_path=d7.om -input_text_path=d7_bin.info "
                   "-output_binary=True -useDvpp=False\n"
                   "benchmark.x86_64 -model_type=vision -batch_size=1 -om_path=d7_aipp.om "
                   "-input_imgFiles_path=./coco_data/val2017 -output_binary=True -useDvpp=True\n"
                   "benchmark.x86_64 -round=20 -batch_size=1 -device_id=0 -om_path=./model/d7_bs1.om\n"
                   "benchmark.x86_64 -round=50 -om_path=d0.om -streams=auto");
  line.accept_single_dash();
  BenchmarkOptions options;
  std::string binary = "false", dvpp = "false";
  int threads = 0;
  line.add_option("--model_type", options.model_type, "only vision")->capture_default_str();
  line.add_option("--batch_size,--dymBatch", options.batch_size, "batch size: the model's, or one of its list")
      ->capture_default_str()
      ->transform(between(1, 65536));
  line.add_option("--device_id", options.device_id,
                  "number of the card for models of CANN, and in the names of output files; other models run on this "
                  "processor")
      ->capture_default_str()
      ->transform(between(0, 1023));
  add_device(line, options.device);
  add_metadata(line, options.metadata);
  line.add_option("--om_path", options.om_path, "compiled model")->required()->type_name("FILE");
  line.add_option("--input_text_path", options.input_text_path, "list of inputs, as get_info writes it")
      ->type_name("FILE");
  line.add_option("--input_imgFiles_path", options.input_images_path, "folder of .bin files or images instead")
      ->type_name("DIR");
  line.add_option("--input_width", options.input_width, "the model's, or with --input_height one of its list")
      ->transform(between(0, 1 << 24));
  line.add_option("--input_height", options.input_height, "the model's, or with --input_width one of its list")
      ->transform(between(0, 1 << 24));
  line.add_option("--dymHW", options.dynamic_size, "\"height,width\": one of a model's list of sizes")
      ->type_name("H,W");
  line.add_option("--output_binary", binary, "true: outputs as .bin; false: as .txt")->capture_default_str();
  line.add_option("--useDvpp", dvpp, "true: decodes and letterboxes images for a model with preprocessing (AIPP)")
      ->capture_default_str();
  line.add_option("--round", options.rounds, "run inference only, this many times")->transform(between(1, 1024));
  line.add_option("--warmup", options.warm_up, "number of runs before the measurement")
      ->capture_default_str()
      ->transform(between(0, 1000));
  line.add_option("--result", options.result, "folder for outputs and figures")
      ->capture_default_str()
      ->type_name("DIR");
  StreamOptions streams;
  streams.add_to(line);
  line.add_threads(threads);
  line.add_json(options.json);
  if (!line.read()) return 0;

  options.binary = parse_switch("-output_binary", binary);
  options.dvpp = parse_switch("-useDvpp", dvpp);
  check(options);
  make_output_folder(options.rounds > 0 ? options.result : dump_folder(options));
  check_output(figures_file(options));
  if (options.device.empty()) options.device = std::to_string(options.device_id);
  if (options.device == "ascend") options.device += fmt::format(":{}", options.device_id);
  const CompiledModel model = load_numbered(options.om_path, options.device, options.metadata);
  // Looks at all weights: in the background, while the rest gets ready.
  std::future<void> warning = std::async(std::launch::async | std::launch::deferred,
                                         [&] { warn_of(line.program(), options.om_path, model.weights_warning()); });
  const size_t plan = choose_plan(options, model);
  const CompiledModel chosen = model.plan(plan);
  check_model(options, chosen);
  options.layout = streams.resolve(chosen, threads, card_count(model.device()));
  if (!options.json) streams.print_trials();
  options.rounds > 0 ? benchmark_rounds(options, chosen) : benchmark_data(options, model, plan);
  warning.get();
  return 0;
}

}  // namespace effdet::cli
