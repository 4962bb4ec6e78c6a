// ais_bench: the successor of benchmark.x86_64, with its flags, files and lines.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <optional>

#include "commands.h"
#include "data_run.h"
#include "describe.h"
#include "device_option.h"
#include "effdet/cann_model.h"
#include "effdet/error.h"
#include "effdet/output_file.h"
#include "input_paths.h"
#include "plans.h"
#include "shape_range.h"
#include "statistics.h"
#include "status_line.h"
#include "stream_options.h"
#include "switch_option.h"
#include "timed_runner.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

struct AisOptions {
  std::string model, input, output, folder, size, dims, shape, shapes, config, format = "BIN", data = "zero",
                                                                               device = "0";
  fs::path metadata;
  int output_axis = 0;
  bool pipeline = false, plan_by_shape = false;
  int loop = 1, batch = 0, warm_up = 1, threads = 0;
  bool everything = false;
};

DumpFormat format_of(const std::string& name) {
  if (name == "BIN") return DumpFormat::kBin;
  if (name == "NPY") return DumpFormat::kNpy;
  if (name == "TXT") return DumpFormat::kTxt;
  throw Error(ErrorCode::kUsage, fmt::format("--outfmt: '{}' is none of BIN, NPY and TXT", name));
}

/// Files and folders, separated by commas.
std::vector<fs::path> inputs_of(const std::string& list) {
  std::vector<fs::path> paths;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    if (is_folder(name)) {
      const auto found = folder_inputs(name);
      paths.insert(paths.end(), found.begin(), found.end());
    } else {
      paths.emplace_back(name);
    }
    begin = end + 1;
  }
  return paths;
}

/// The model on made-up input, as often as --loop says.
StageTimes run_pure(const CompiledModel& model, const AisOptions& options, const StreamLayout& layout) {
  if (options.data != "zero" && options.data != "random")
    throw Error(ErrorCode::kUsage, fmt::format("--pure_data_type: '{}' is neither zero nor random", options.data));
  const TimedRounds rounds = run_rounds(
      model, {.layout = layout, .warm_up = options.warm_up, .rounds = options.loop, .zeros = options.data == "zero"});
  StageTimes times;
  times.infer = rounds.milliseconds;
  times.to_device = rounds.to_device;
  times.from_device = rounds.from_device;
  times.total = rounds.total;
  return times;
}

nlohmann::json summary_of(const Statistics& s) {
  return {{"min", s.min},    {"max", s.max}, {"mean", s.mean}, {"median", s.p50}, {"percentile(99%)", s.p99},
          {"count", s.count}};
}

std::string summary_line(const char* name, const Statistics& s) {
  return fmt::format("{} (ms): min = {}, max = {}, mean = {}, median = {}, percentile(99%) = {}\n", name, s.min, s.max,
                     s.mean, s.p50, s.p99);
}

/// Which files went into each batch, and which came out.
nlohmann::json files_json(const std::vector<fs::path>& inputs, const fs::path& folder, DumpFormat format,
                          size_t files_a_batch, size_t outputs) {
  nlohmann::json files = nlohmann::json::object();
  for (size_t i = 0; i < inputs.size(); ++i) {
    nlohmann::json& entry = files[std::to_string(i / files_a_batch)];
    entry["infile"].push_back(inputs[i].string());
    for (size_t k = 0; k < outputs; ++k)
      entry["outfile"].push_back(
          (folder / fmt::format("{}_{}{}", inputs[i].stem().string(), k, extension_of(format))).string());
  }
  return files;
}

nlohmann::json args_json(const AisOptions& o) {
  return {{"model", o.model},           {"input", o.input},         {"output", o.output},
          {"output_dirname", o.folder}, {"outfmt", o.format},       {"loop", o.loop},
          {"device", o.device},         {"batchsize", o.batch},     {"debug", false},
          {"warmup_count", o.warm_up},  {"pure_data_type", o.data}, {"display_all_summary", o.everything}};
}

/// Measures the model on each shape of a list that it was compiled for, and tells of the others. layout_of: of one
/// plan. Throws Error(kUsage) where there is none.
template <typename LayoutOf>
void run_shapes(const CompiledModel& all, const AisOptions& options, LayoutOf&& layout_of) {
  const std::vector<std::string> shapes = expand_shape_range("--dymShape_range", options.shapes);
  size_t measured = 0;
  for (const std::string& shape : shapes) {
    const std::optional<size_t> plan = plan_of_shapes(all, parse_named_shapes("--dymShape_range", shape));
    if (!plan) {  // it was not compiled for that one
      fmt::print("dynamic shape: {} has no plan\n", shape);
      continue;
    }
    const CompiledModel model = all.plan(*plan);
    const StageTimes times = run_pure(model, options, layout_of(model));
    const auto images = static_cast<double>(static_cast<size_t>(batch_of(model)) * times.infer.size());
    fmt::print("dynamic shape: {} NPU_compute_time.mean: {} throughput: {}\n", shape, statistics_of(times.infer).mean,
               1000 * images / times.total);
    flush_stdout();
    ++measured;
  }
  if (measured == 0)
    throw Error(ErrorCode::kUsage,
                fmt::format("--dymShape_range: {} has a plan for none of the {} shapes; effdet info tells "
                            "those that it has",
                            options.model, shapes.size()));
}

/// The flags that choose a plan, each in its way.
void refuse_two_plans(const AisOptions& o) {
  if (!o.shapes.empty() &&
      (!o.input.empty() || !o.output.empty() || o.batch > 0 || !o.size.empty() || !o.dims.empty() || !o.shape.empty()))
    throw Error(ErrorCode::kUsage,
                "--dymShape_range measures on made-up input: it goes with none of --input, --output, "
                "--dymBatch, --dymHW, --dymDims and --dymShape");
  if (o.plan_by_shape && o.input.empty())
    throw Error(ErrorCode::kUsage, "--auto_set_dymshape_mode needs --input: .npy files, which say their shapes");
  const int given = (o.plan_by_shape ? 1 : 0) + (o.batch > 0 ? 1 : 0) + (o.size.empty() ? 0 : 1) +
                    (o.dims.empty() ? 0 : 1) + (o.shape.empty() ? 0 : 1);
  const bool batch_and_size = given == 2 && o.batch > 0 && !o.size.empty();
  if (given > 1 && !batch_and_size)
    throw Error(ErrorCode::kUsage,
                "--dymDims, --dymShape and --auto_set_dymshape_mode each say all dimensions: give one of them, and no "
                "--dymBatch or --dymHW");
}

std::string time_stamp() { return fmt::format("{:%Y_%m_%d-%H_%M_%S}", fmt::localtime(std::time(nullptr))); }

}  // namespace

int run_ais_bench(int argc, char** argv) {
  CommandLine line(argc, argv, "Runs a compiled model on input files, or measures it alone.",
                   "ais_bench --model d0.om --input bin_save --output result --output_dirname dump --outfmt BIN\n"
                   "ais_bench --model d0.om --loop 100 --pure_data_type random");
  AisOptions options;
  StreamOptions streams;
  line.add_option("-m,--model", options.model, "compiled model")->required()->type_name("FILE");
  line.add_option("-i,--input", options.input, "files (.bin, .npy, images) or folders, separated by commas");
  line.add_option("-o,--output", options.output, "folder for the outputs and the summary")->type_name("DIR");
  line.add_option("--output_dirname", options.folder, "folder for the outputs in it; default: date and time");
  line.add_option("--outfmt", options.format, "BIN, NPY or TXT")->capture_default_str();
  line.add_option("-l,--loop", options.loop, "number of runs on made-up input, if there is no --input")
      ->capture_default_str()
      ->transform(between(1, 1000000));
  line.add_option(
          "-d,--device", options.device,
          "number of a card, or several (0,1): for models of CANN; ascend:0,1 runs ours there, too. Other models run "
          "on this processor")
      ->capture_default_str();
  add_metadata(line, options.metadata);
  line.add_option("--batchsize,--dymBatch", options.batch, "batch size: the model's, or one of its list")
      ->transform(between(1, 65536));
  line.add_option("--dymHW", options.size, "\"height,width\": one of a model's list of sizes")->type_name("H,W");
  line.add_option("--dymDims", options.dims, "one of a model's lists of dimensions: \"data:1,600;info:1,600\"")
      ->type_name("NAME:D,..;..");
  line.add_option("--dymShape", options.shape, "the same for a model of several shapes")->type_name("NAME:D,..;..");
  line.add_option("--dymShape_range", options.shapes,
                  "measures each of these shapes on made-up input: \"data:1,3,200~224,128-256\", where a~b is a range "
                  "and a-b-c "
                  "are values")
      ->type_name("NAME:D,..;..");
  add_switch(line, "--auto_set_dymshape_mode,--auto_set_dymdims_mode", options.plan_by_shape,
             "each .npy file is a batch of its own, and runs in the shape that it says");
  line.add_option("--output_batchsize_axis", options.output_axis,
                  "the outputs' axis that counts the batch, by which they are split among its files; from 0 on")
      ->capture_default_str()
      ->transform(between(0, 127));
  add_switch(line, "--pipeline", options.pipeline, "copies to a card overlap with runs on it: two streams a card");
  line.add_option("--acl_json_path", options.config, "configuration for AscendCL's aclInit")->type_name("FILE");
  line.add_option("--pure_data_type", options.data, "made-up input: zero or random")->capture_default_str();
  line.add_option("--warmup_count", options.warm_up, "number of runs before the measurement")
      ->capture_default_str()
      ->transform(between(0, 1000));
  add_switch(line, "--display_all_summary", options.everything,
             "also the transfers to and from the device: none on the CPU");
  streams.add_to(line);
  line.add_threads(options.threads);
  if (!line.read()) return 0;

  const DumpFormat format = format_of(options.format);
  if (options.output.empty() && !options.folder.empty())
    throw Error(ErrorCode::kUsage, "--output_dirname needs --output, the folder that it lies in");
  if (options.folder.empty() && !options.output.empty()) options.folder = time_stamp();
  const fs::path folder = options.output.empty() ? fs::path() : fs::path(options.output) / options.folder;
  const fs::path summary = fs::path(options.output) / (options.folder + "_summary.json");
  if (!folder.empty()) {
    make_output_folder(options.input.empty() ? fs::path(options.output) : folder);
    check_output(summary);
  }
  if (!options.config.empty()) configure_ascend(options.config);
  const CompiledModel all = load_numbered(options.model, options.device, options.metadata);
  const std::string device = all.device();
  warn_of(line.program(), options.model, all.weights_warning());
  const PlanWish wish{.batch = options.batch,
                      .size = options.size.empty() ? InputSize{} : parse_size("--dymHW", options.size)};
  refuse_two_plans(options);
  if (!options.shapes.empty()) {
    run_shapes(all, options, [&](const CompiledModel& model) {
      return streams.resolve(model, options.threads, card_count(device) * (options.pipeline ? 2 : 1));
    });
    return 0;
  }
  const size_t plan = options.plan_by_shape    ? largest_plan(all)
                      : !options.dims.empty()  ? find_plan_of_shapes(all, "--dymDims", options.dims, options.model)
                      : !options.shape.empty() ? find_plan_of_shapes(all, "--dymShape", options.shape, options.model)
                                               : find_plan(all, wish, options.model);
  const CompiledModel model = all.plan(plan);
  const size_t batch = static_cast<size_t>(batch_of(model));
  options.batch = static_cast<int>(batch);
  const StreamLayout layout = streams.resolve(model, options.threads, card_count(device) * (options.pipeline ? 2 : 1));
  streams.print_trials();
  std::vector<fs::path> inputs;
  StageTimes times;
  if (options.input.empty()) {
    times = run_pure(model, options, layout);
  } else {
    inputs = inputs_of(options.input);
    times = run_on_files(all, {.inputs = inputs,
                               .folder = folder,
                               .first_output = 0,
                               .format = format,
                               .layout = layout,
                               .warm_up = options.warm_up,
                               .plan = plan,
                               .output_axis = static_cast<size_t>(options.output_axis),
                               .plan_by_shape = options.plan_by_shape});
  }
  // A batch that is not full counts as one that is, but with a shape for each file.
  const double mean_batch =
      options.plan_by_shape ? times.samples / static_cast<double>(times.infer.size()) : static_cast<double>(batch);

  const Statistics compute = statistics_of(times.infer);
  const Statistics to_device = statistics_of(times.to_device), from_device = statistics_of(times.from_device);
  const double throughput =
      1000 * mean_batch * (layout.streams == 1 ? 1 / compute.mean : static_cast<double>(compute.count) / times.total);
  fmt::print("-----------------Performance Summary------------------\n");
  if (options.everything) fmt::print("{}", summary_line("H2D_latency", to_device));
  fmt::print("{}", summary_line("NPU_compute_time", compute));
  if (options.everything) fmt::print("{}", summary_line("D2H_latency", from_device));
  if (layout.streams == 1)
    fmt::print("throughput 1000*batchsize.mean({})/NPU_compute_time.mean({}): {}\n", mean_batch, compute.mean,
               throughput);
  else
    fmt::print("throughput of {} streams: {}\n", layout.streams, throughput);  // they overlap: not of the mean
  fmt::print("------------------------------------------------------\n");
  if (options.output.empty()) return 0;
  const size_t files_a_batch = options.plan_by_shape ? 1 : batch / times.samples_a_file;
  write_output(summary,
               json_text({{"filesinfo", files_json(inputs, folder, format, files_a_batch, model.outputs().size())},
                          {"args", args_json(options)},
                          {"NPU_compute_time", summary_of(compute)},
                          {"H2D_latency", summary_of(to_device)},
                          {"D2H_latency", summary_of(from_device)},
                          {"throughput", throughput},
                          {"pid", ::getpid()}}));
  return 0;
}

}  // namespace effdet::cli
