// The table of commands, and the command nearest to a misspelled name.
#include "commands.h"

#include <algorithm>
#include <string>
#include <vector>

#include "nearest_name.h"

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
    {"merge", "", kDirect, "join the shards of validate or detect to the results of one run", run_merge},
    {"detect", "", kDirect, "find and draw the objects in images and videos", run_detect},
    {"serve", "", kDirect, "serve models over HTTP and gRPC", run_serve},
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
    {"convert", "", kExtra, "write a data set in another format: COCO, LVIS, Pascal VOC, YOLO, Open Images",
     run_convert},
    {"evaluate", "", kExtra, "COCO mAP of a results file", run_evaluate},
    {"manual", "", kExtra, "write man pages, and completion for bash and zsh", run_manual},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  if (name.ends_with(".py")) name.remove_suffix(3);
  const auto found = std::ranges::find_if(
      kCommands, [&](const Command& c) { return !name.empty() && (c.name == name || c.tool == name); });
  return found == std::end(kCommands) ? nullptr : &*found;
}

std::string nearest_command(std::string_view name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return nearest_name(name, names);
}

}  // namespace effdet::cli
