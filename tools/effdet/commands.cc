// The table of commands, and the command nearest to a misspelled name.
#include "commands.h"

#include <algorithm>
#include <string>
#include <vector>

namespace effdet::cli {
namespace {

constexpr std::string_view kModel = "Model: from checkpoint to compiled model";
constexpr std::string_view kData = "Data set: from images to mAP";
constexpr std::string_view kDirect = "Without files between";
constexpr std::string_view kExtra = "Around the pipeline";

constexpr Command kCommands[] = {
    {"pth2onnx", "pth2onnx", kModel, "export a PyTorch checkpoint to ONNX", run_pth2onnx},
    {"onnxsim", "onnxsim", kModel, "simplify an ONNX model and check that it computes the same", run_onnxsim},
    {"quantize", "", kModel, "make an 8-bit model, with a proof of its accuracy", run_quantize},
    {"modify_onnx", "modify_onnx", kModel, "set a constant, or the -inf padding of max-pools, to 0", run_modify_onnx},
    {"atc", "atc", kModel, "compile an ONNX model for this processor", run_atc},
    {"preprocess", "preprocess", kData, "images of a data set to input files", run_preprocess},
    {"get_info", "get_info", kData, "list input files or images with their sizes", run_get_info},
    {"benchmark", "benchmark.x86_64", kData, "run a compiled model on input files, or measure it", run_benchmark},
    {"ais_bench", "ais_bench", kData, "the same, with the flags and files of its successor", run_ais_bench},
    {"postprocess", "postprocess", kData, "dumped outputs to detections and COCO mAP", run_postprocess},
    {"validate", "validate", kDirect, "images to COCO mAP in one process", run_validate},
    {"merge", "", kDirect, "join the shards of validate to the results of one run", run_merge},
    {"detect", "", kDirect, "find and draw the objects in images", run_detect},
    {"edit", "", kExtra, "change an ONNX graph by names: constants, attributes, nodes, outputs", run_edit},
    {"graph", "", kExtra, "draw the coarse structure of a model", run_graph},
    {"init", "", kExtra, "write a random checkpoint, for benchmarks and tests", run_init},
    {"download", "", kExtra, "fetch published weights", run_download},
    {"info", "", kExtra, "describe a checkpoint, an ONNX model or a compiled model", run_info},
    {"profile", "", kExtra, "measure each step of a model against what the machine can do", run_profile},
    {"bench", "", kExtra, "latency and throughput of a model, stage by stage", run_bench},
    {"compare", "", kExtra, "run two models on one input: how far, and where, they part", run_compare},
    {"run", "", kExtra, "run any model on tensors, or ONNX's test folders", run_run},
    {"scenes", "", kExtra, "write a synthetic data set in COCO's layout", run_scenes},
    {"convert", "", kExtra, "write a data set in another format: COCO, Pascal VOC, YOLO", run_convert},
    {"evaluate", "", kExtra, "COCO mAP of a results file", run_evaluate},
};

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  if (name.ends_with(".py")) name.remove_suffix(3);
  const auto found = std::ranges::find_if(
      kCommands, [&](const Command& c) { return !name.empty() && (c.name == name || c.tool == name); });
  return found == std::end(kCommands) ? nullptr : &*found;
}

const Command* nearest_command(std::string_view name) {
  constexpr size_t kLongest = 64;  // more is no typing error
  if (name.size() > kLongest) return nullptr;
  const auto distance = [&](const Command& c) { return edit_distance(name, c.name); };
  const auto nearest = std::ranges::min_element(kCommands, {}, distance);
  return distance(*nearest) <= 1 + nearest->name.size() / 3 ? &*nearest : nullptr;
}

}  // namespace effdet::cli
