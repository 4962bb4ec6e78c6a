// pth2onnx: a PyTorch checkpoint to ONNX.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "checkpoint_file.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/onnx_model.h"
#include "effdet/onnx_options.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

constexpr int kLargestBatch = 4096, kMostDetections = 5000;

std::string variant_of(const OnnxModel& model) {
  const auto metadata = model.metadata();
  const auto found = metadata.find("effdet.variant");
  return found == metadata.end() ? "" : found->second;
}

void print_summary(const OnnxModel& model, const std::string& out, double seconds) {
  fmt::print("{}: {}, {} parameters, opset {}, {}, {:.2f} s\n\n", shown_output(out), variant_of(model),
             count_text(model.parameters().value_or(0)), model.opset(), written_text(out), seconds);
  print_tensors("input", model.inputs());
  fmt::print("\n");
  print_tensors("output", model.outputs());
}

}  // namespace

int run_pth2onnx(int argc, char** argv) {
  CommandLine line(argc, argv,
                   "Exports a PyTorch checkpoint of EfficientDet to ONNX: raw outputs of the heads, or detections.",
                   "pth2onnx --batch_size=1 --checkpoint=d7.pth --out=d7_bs1.onnx\n"
                   "pth2onnx --checkpoint d0.pth --out d0_wide.onnx --model tf_efficientdet_d0 --img-size 512 896\n"
                   "pth2onnx --checkpoint d0.pth --out d0_nms.onnx --with-nms --score-threshold 0.05\n"
                   "pth2onnx --checkpoint d0.pth --out d0_17.onnx --opset 17");
  ModelOptions options{.preferred = "tf_efficientdet_d7"};
  std::string checkpoint = "d0.pth", out = "d7.onnx";
  int64_t opset = kLowestOpset;
  bool json = false, with_nms = false;
  DetectOptions detect;
  line.add_option("--batch_size", options.batch, "images in one batch")
      ->capture_default_str()
      ->transform(between(1, kLargestBatch))
      ->type_name("N");
  line.add_option("-c,--checkpoint,--model-file", checkpoint,
                  "the file that torch.save wrote, safetensors, or a model's name (see download)")
      ->capture_default_str()
      ->type_name("FILE");
  line.add_output("--out", out, "the ONNX file to write")->capture_default_str();
  line.add_option("--opset", opset,
                  fmt::format("version of ONNX's operator set, {} to {}", kLowestOpset, kHighestOpset))
      ->capture_default_str()
      ->transform(between(kLowestOpset, kHighestOpset))
      ->type_name("N");
  auto* nms =
      line.add_flag("--with-nms", with_nms,
                    "append decoding and NonMaxSuppression: the output is \"detections\" [batch, boxes, 6], rows "
                    "of x1, y1, x2, y2 in pixels of the input, score and class, then zeros");
  line.add_option("--max-det,--max-detections", detect.max_detections, "--with-nms: rows an image")
      ->capture_default_str()
      ->transform(between(1, kMostDetections))
      ->type_name("N")
      ->needs(nms);
  line.add_option("--score,--score-threshold", detect.score_threshold, "--with-nms: leave out boxes with a lower score")
      ->capture_default_str()
      ->check(real_between(0, 1))
      ->type_name("S")
      ->needs(nms);
  line.add_option("--iou,--iou-threshold", detect.iou_threshold,
                  "--with-nms: leave out boxes that overlap a better one of their class by more")
      ->capture_default_str()
      ->check(real_between(0, 1))
      ->type_name("T")
      ->needs(nms);
  line.add_model_options(options);
  line.add_json(json);
  if (!line.read()) return 0;

  const auto start = std::chrono::steady_clock::now();
  OnnxModel model = OnnxModel::from_checkpoint(checkpoint_file(checkpoint), options);
  if (with_nms) model.append_nms(detect);
  model.raise_opset(opset);
  model.write(out);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!json) return print_summary(model, out, seconds), 0;
  nlohmann::json result = model_json(model);
  result["file"] = shown_output(out);
  if (const auto bytes = written_bytes(out)) result["bytes"] = *bytes;
  result["seconds"] = seconds;
  fmt::print("{}", json_text(result));
  return 0;
}

}  // namespace effdet::cli
