// atc: compiles an ONNX model for this processor, with the messages of the original.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "atc_options.h"
#include "cann_atc.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/compiled_model.h"
#include "effdet/machine.h"
#include "effdet/onnx_model.h"
#include "effdet/output_file.h"
#include "output_paths.h"
#include "progress.h"
#include "status_line.h"

namespace effdet::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Operators are the one thing that has a code of its own; the library's message begins so.
void fail_for_unknown_operator(const Error& error) {
  if (std::string_view(error.what()).find("unsupported operator") != std::string_view::npos)
    fail_atc(error.code(), "E19010", fmt::format("No parser is registered: {}", error.what()));
}

OnnxModel read_model(const std::string& path) {
  try {
    return OnnxModel::read(path);
  } catch (const Error& error) {
    fail_for_unknown_operator(error);
    fail_atc(error.code(), "E10041", fmt::format("Cannot load the model [{}]. Reason: {}", path, error.what()));
  }
}

void check_input_names(const OnnxModel& model, const AtcOptions& options) {
  const std::vector<TensorInfo> inputs = model.inputs();
  std::map<std::string, std::vector<int64_t>> shapes = options.input_shapes;
  if (!options.plans.empty()) shapes.insert(options.plans[0].begin(), options.plans[0].end());
  for (const auto& [name, shape] : shapes)
    if (std::ranges::find(inputs, name, &TensorInfo::name) == inputs.end())
      fail_atc(ErrorCode::kUsage, "E10016",
               fmt::format("Opname [{}] specified in [--input_shape] is not found in the model; its input is [{}].",
                           name, inputs.empty() ? "" : inputs.front().name));
}

/// Tensor names for "node:index".
std::vector<std::string> find_outputs(const OnnxModel& model, const AtcOptions& options) {
  std::vector<std::string> names;
  for (const std::string& node : options.out_nodes) {
    const size_t colon = node.rfind(':');
    const std::string name = model.node_output(node.substr(0, colon), std::stoul(node.substr(colon + 1)));
    if (name.empty())
      fail_atc(ErrorCode::kUsage, "E10016",
               fmt::format("Opname [{}] specified in [--out_nodes] is not found in the model.", node));
    names.push_back(name);
  }
  return names;
}

/// What DUMP_GE_GRAPH asks for: 1 dumps with weights, 2 and 3 without; 0 is the same as nothing.
int dump_level() {
  const char* value = std::getenv("DUMP_GE_GRAPH");
  if (value == nullptr || *value == '\0') return 0;
  if (value[0] < '0' || value[0] > '3' || value[1] != '\0')
    throw Error(ErrorCode::kUsage, fmt::format("DUMP_GE_GRAPH is '{}', not 0, 1, 2 or 3", value));
  return value[0] - '0';
}

/// Reports the stages of a compilation, and dumps them as ONNX files for graph viewers.
class Stages {
 public:
  explicit Stages(LogLevel log) : log_(log), dumps_(dump_level()) {}

  void operator()(std::string_view stage, const OnnxModel& graph) {
    if (log_ == LogLevel::kDebug)
      fmt::print("[DEBUG] stage {:02} {:<20} {:5} nodes, {:.3f} s\n", number_, stage, node_count(graph),
                 seconds_since(start_));
    if (dumps_ > 0)
      graph.write(fmt::format("ge_onnx_{:08}_{}.onnx", number_, stage),
                  dumps_ == 1 ? OnnxModel::Weights::kInside : OnnxModel::Weights::kLeftOut);
    ++number_;
    start_ = Clock::now();
  }

 private:
  LogLevel log_;
  int dumps_;
  int number_ = 0;
  Clock::time_point start_ = Clock::now();
};

/// Nothing where nobody looks: each stage gets a copy of the graph.
std::function<void(std::string_view, const OnnxModel&)> stages_for(LogLevel log) {
  if (log != LogLevel::kDebug && dump_level() == 0) return {};
  return Stages(log);
}

void print_tuning(size_t layers, size_t measured, size_t changed, const std::filesystem::path& file) {
  erase_status_line();  // which on_progress draws again for the next plan
  fmt::print(
      "[INFO] tuned {} kinds of layers, {} of them measured now: {} are fused otherwise than without tuning; see {}\n",
      layers, measured, changed, file.string());
}

CompiledModel compile(const OnnxModel& model, const CompileOptions& options) {
  try {
    return CompiledModel::compile(model, options);
  } catch (const Error& error) {
    fail_for_unknown_operator(error);
    throw;
  }
}

void convert(const AtcOptions& options) {
  const auto start = Clock::now();
  OnnxModel model = read_model(options.model);
  check_input_names(model, options);
  if (const std::string warning = model.weights_warning(); !warning.empty())
    fmt::print("[WARNING] {}: {}\n", options.model, one_line(warning));
  const bool on_cpu = options.device == "cpu";
  if (options.narrow && on_cpu && !multiplies_bfloat16())
    fmt::print(
        "[WARNING] this processor does not multiply bfloat16: the model takes less memory, and up to a tenth more time "
        "than with --precision_mode=force_fp32\n");
  if (options.calibration) quantize(model, *options.calibration);
  if (!options.narrow && on_cpu && multiplies_bfloat16() && model.is_quantized() && options.log <= LogLevel::kInfo)
    fmt::print(
        "[INFO] this processor multiplies bfloat16: --precision_mode=force_fp16 computes in it what stays in float32, "
        "which takes less time and memory\n");
  std::optional<ProgressBar> progress(std::in_place, "tuning, %");
  std::optional<Tuning> tuning = options.tuning;
  if (tuning) {
    tuning->on_progress = [&](double done) { progress->update(static_cast<size_t>(100 * done), 100); };
    tuning->on_done = print_tuning;
  }
  const CompiledModel compiled = compile(model, {.device = options.device,
                                                 .input_shapes = options.input_shapes,
                                                 .plans = options.plans,
                                                 .outputs = find_outputs(model, options),
                                                 .insert_op_conf = options.insert_op_conf,
                                                 .precision = !options.narrow ? Precision::kFloat32
                                                              : on_cpu        ? Precision::kBfloat16
                                                                              : Precision::kFloat16,
                                                 .keep_float32 = options.keep_float32,
                                                 .tuning = tuning,
                                                 .on_stage = stages_for(options.log)});
  progress.reset();
  compiled.save(options.output);
  if (const std::string note = compiled.device_note(); !note.empty()) fmt::print("[WARNING] {}\n", note);
  const std::map<std::string, std::string> metadata = compiled.metadata();
  if (const auto limits = metadata.find("effdet.row_limits"); limits != metadata.end())
    fmt::print(
        "[WARNING] how many rows there are depends on the image; the compiled model gives always the most, and "
        "zeros where there are fewer: {}\n",
        one_line(limits->second));
  if (options.log == LogLevel::kDebug) print_steps(compiled);
  if (options.log <= LogLevel::kInfo)
    fmt::print("[INFO] {}: {}{} steps, weights {}, activations {}, file {}, {:.2f} s\n", options.output,
               compiled.plan_count() > 1 ? fmt::format("{} plans, the first of ", compiled.plan_count()) : "",
               compiled.steps().size(), bytes_text(compiled.weight_bytes()), bytes_text(compiled.arena_bytes()),
               written_text(options.output), seconds_since(start));
}

void run_mode(const AtcOptions& options) {
  if (options.mode == 0) return convert(options);
  const CompiledModel model = CompiledModel::load(options.om);
  if (options.mode == 6) return print_model(model, true);
  write_output(options.json, json_text(model_json(model)));
}

}  // namespace

int run_atc(int argc, char** argv) {
  bool started = false;
  try {
    if (const std::string card = card_version(argc, argv); !card.empty()) return run_cann_atc(argc, argv, card);
    const AtcOptions options = read_atc_options(argc, argv);
    if (options.help) return 0;
    started = true;
    fmt::print("ATC start working now, please wait for a moment.\n");
    for (const std::string& warning : options.warnings) fmt::print("[WARNING] {}\n", one_line(warning));
    flush_stdout();
    run_mode(options);
    fmt::print("ATC run success, welcome to the next use.\n");
    return 0;
  } catch (const Error& error) {
    if (!started) fmt::print("ATC start working now, please wait for a moment.\n");
    fmt::print("ATC run failed, Please check the detail log, Try 'atc --help' for more information\n");
    const std::string message = one_line(error.what());
    fmt::print("{}{}\n", message.starts_with("E1") ? "" : "[ERROR] ", message);
    return static_cast<int>(error.code());
  }
}

}  // namespace effdet::cli
