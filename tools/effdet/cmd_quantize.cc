// quantize: a float32 model to an 8-bit model, with a proof of its accuracy.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "calibration_options.h"
#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "dataset_options.h"
#include "describe.h"
#include "effdet/error.h"
#include "effdet/onnx_model.h"
#include "effdet/output_file.h"
#include "effdet/quantize.h"
#include "input_paths.h"
#include "output_paths.h"
#include "quantize_report.h"
#include "report/quantize_page.h"
#include "report/sensitivity_chart.h"

namespace effdet::cli {
namespace {

struct QuantizeArguments {
  std::string model, out, report, chart;
  ModelOptions model_options;
  CalibrationOptions calibration;
  QuantizeOptions options;
  bool json = false;
};

/// The layers that lose most, in columns.
void print_sensitivity(const QuantizeReport& report) {
  constexpr size_t kShown = 10;
  const std::vector<const QuantizedLayer*> layers = layers_by_error(report);
  if (layers.empty()) return;
  Table table;
  table.add({"error alone", "computes in", "layer"});
  for (const QuantizedLayer* layer : std::span(layers).first(std::min(layers.size(), kShown)))
    table.add({fmt::format("{:.2e}", *layer->error), layer->is_float ? "float32" : "int8", one_line(layer->name)});
  fmt::print("\n");
  table.print();
}

void print(const QuantizeArguments& arguments, const OnnxModel& model, const QuantizeReport& report, double seconds) {
  fmt::print("{}: opset {}, {}, {:.2f} s\n", shown_output(arguments.out), model.opset(), written_text(arguments.out),
             seconds);
  for (const std::string& line : proof_lines(report.proof)) fmt::print("{}\n", line);
  print_sensitivity(report);
}

[[noreturn]] void fail_below_gate(const QuantizeReport& report, const std::string& page) {
  const auto& a = *report.proof.accuracy;
  throw Error(ErrorCode::kMismatch,
              fmt::format("the best of {} models that were measured has mAP {:.4f}, {:.2f} % of float32's {:.4f} and "
                          "below --keep {}: no model was written; more calibration images may help; {} shows which "
                          "layers lose",
                          report.trials.size(), a.map_int8, 100 * a.map_int8 / a.map_float32, a.map_float32, a.keep,
                          page.empty() ? "--report q.html" : page));
}

/// After the model, which stays where a page cannot be written.
void write_pages(const QuantizeArguments& arguments, const QuantizeReport& report) try {
  const std::string name = std::filesystem::path(arguments.model).filename().string();
  if (!arguments.report.empty()) write_output(arguments.report, quantize_page(name, report));
  if (!arguments.chart.empty()) write_output(arguments.chart, sensitivity_chart(name, report).file());
} catch (const Error& error) {
  if (!report.passed) throw;
  throw Error(error.code(), fmt::format("{}; the model is in {}", error.what(), arguments.out));
}

/// Outputs are none of the images in a folder of the calibration; files that are named are known to the command line.
void refuse_lost_images(const QuantizeArguments& arguments) {
  const std::pair<const char*, const std::string&> outputs[] = {
      {"--out", arguments.out}, {"--report", arguments.report}, {"--sensitivity-chart", arguments.chart}};
  for (const auto& [flag, output] : outputs)
    refuse_one_of(flag, output, "--calibration", arguments.options.calibration);
}

int quantize(QuantizeArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  OnnxModel model = OnnxModel::open(checkpoint_file(arguments.model), arguments.model_options);
  QuantizeReport report;
  {
    QuantizeProgress progress;
    progress.attach(arguments.options);
    report = model.quantize(arguments.options);
  }
  if (report.passed) model.write(arguments.out);
  write_pages(arguments, report);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    nlohmann::json json = quantize_json(report);
    json["file"] = report.passed ? nlohmann::json(shown_output(arguments.out)) : nlohmann::json();
    if (const auto bytes = written_bytes(arguments.out); report.passed && bytes) json["bytes"] = *bytes;
    json["seconds"] = seconds;
    fmt::print("{}", json_text(json));
  } else if (report.passed) {
    print(arguments, model, report, seconds);
  }
  if (!report.passed) fail_below_gate(report, arguments.report);
  if (const size_t failed = report.failures.size(); failed > 0)
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} of {} images could not be used: the ranges are of the other {}", failed,
                            failed + report.proof.calibration_images, report.proof.calibration_images));
  return 0;
}

}  // namespace

int run_quantize(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Makes an 8-bit model: standard ONNX with QuantizeLinear and DequantizeLinear, which atc compiles to "
      "int8 kernels and other programs read too. --validate and --keep prove its accuracy.",
      "effdet quantize d0.pth --calibration photos --out d0_int8.onnx\n"
      "effdet quantize d0.onnx --calibration photos --validate coco_data --keep 0.99 --report q.html --out "
      "d0_int8.onnx\n"
      "effdet quantize d0.pth --weights-only --out d0_w8.onnx");
  QuantizeArguments arguments;
  QuantizeOptions& options = arguments.options;
  std::string validation;
  line.add_option("file,-c,--checkpoint,--model-file", arguments.model, "checkpoint or ONNX model, float32")
      ->required()
      ->type_name("FILE");
  line.add_output("--out", arguments.out, "the ONNX file to write")->required();
  auto* calibration = arguments.calibration.add_to(line);
  auto* weights_only = line.add_flag("--weights-only", options.weights_only,
                                     "weights alone become int8 and are multiplied as floats: a quarter of the size, "
                                     "nearly lossless, not faster; takes no calibration")
                           ->excludes(calibration);
  line.add_option("--keep-float", options.keep_float,
                  "layers that stay float32 besides those that always do: names or patterns (*predict*)")
      ->expected(1, 1 << 20)
      ->type_name("NAME");
  auto* validate =
      line.add_option("--validate", validation,
                      "measure the compiled model's mAP on this data set, against float32; more layers stay float32 "
                      "where it needs them; below --keep no model is written, and the exit code is 6")
          ->type_name("DIR");
  line.add_option("--keep", options.keep, "share of float32's mAP that has to remain, above 0 and at most 1")
      ->capture_default_str()
      ->check(real_between(0, 1))
      ->needs(validate)
      ->type_name("X");
  line.add_flag("--sensitivity", options.sensitivity, "measure each layer alone in 8 bits")->excludes(weights_only);
  line.add_output("--sensitivity-chart", arguments.chart, "the same as a picture: an SVG file")->excludes(weights_only);
  line.add_output("--report", arguments.report, "a page with proof, sensitivity and layers; measures them");
  add_category_map(line, options.classes)->needs(validate);
  line.add_model_options(arguments.model_options);
  line.add_threads(options.threads);
  line.add_json(arguments.json);
  if (!line.read()) return 0;

  if (arguments.out.ends_with(".om"))
    throw Error(ErrorCode::kUsage, "--out: quantize writes ONNX; atc compiles it to an .om");
  if (!arguments.calibration.given() && !options.weights_only)
    throw Error(ErrorCode::kUsage, "--calibration is missing: images to learn the ranges of maps from");
  if (!(options.keep > 0 && options.keep <= 1))
    throw Error(ErrorCode::kUsage, fmt::format("--keep {}: it is a share, above 0 and at most 1", options.keep));
  if (arguments.calibration.given()) arguments.calibration.fill(options);
  refuse_lost_images(arguments);
  options.validation = validation;
  options.classes.names = arguments.model_options.class_names;
  if (!arguments.chart.empty() || (!arguments.report.empty() && !options.weights_only)) options.sensitivity = true;
  return quantize(arguments);
}

}  // namespace effdet::cli
